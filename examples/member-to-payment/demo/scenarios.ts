/** The failure table F1 to F13, the gateway (G1 to G5) and the payments that wait (W1 to W3), one function each: set the stage, break something, pay, and say what must be true afterwards. */
import { APPROVAL_FROM_MINOR } from "../src/checkout.ts";
import type { PeerName } from "./network.ts";
import type { Fate, Rule } from "./proxy.ts";
import { type Answer, type Stage, sagaIdOf, sleep } from "./stage.ts";

export interface Scenario {
  readonly id: string;
  readonly title: string;
  readonly play: (stage: Stage) => Promise<Outcome>;
}

/** What is shown: the client's answer and the two readings of every service. */
export interface Outcome {
  readonly answer: Answer;
  readonly before: Awaited<ReturnType<Stage["state"]>>;
  readonly after: Awaited<ReturnType<Stage["state"]>>;
}

const PRICE = 1_000;
const DISCOUNT = 500;
/** Two lines: two units of one product, one of another. */
const TOTAL = 3 * PRICE;
const PAID = TOTAL - DISCOUNT;
const POINTS = 10_000;
const STOCK = 5;

interface Shop {
  readonly memberId: string;
  readonly tea: string;
  readonly cup: string;
  readonly couponId: string;
  readonly orderId: string;
  /** How much is paid by points; the rest by card. Default: all. */
  readonly byPoints?: number | undefined;
}

interface ShopOptions {
  readonly points?: number | undefined;
  readonly cupStock?: number | undefined;
  /** Of one unit of either product. */
  readonly priceMinor?: number | undefined;
}

/** A member with points, two products in stock, a coupon, and an order of both products. */
async function shop(stage: Stage, { points = POINTS, cupStock = STOCK, priceMinor = PRICE }: ShopOptions = {}): Promise<Shop> {
  const memberId = await stage.member({ points });
  const tea = await stage.product({ stock: STOCK, priceMinor });
  const cup = await stage.product({ stock: cupStock, priceMinor });
  const couponId = await stage.coupon({ memberId, discountMinor: DISCOUNT });
  const orderId = await stage.order(memberId, [
    [tea, 2, priceMinor],
    [cup, 1, priceMinor],
  ]);
  return { memberId, tea, cup, couponId, orderId };
}

function read(stage: Stage, { memberId, orderId, couponId, tea, cup }: Shop): Promise<Outcome["before"]> {
  return stage.state({ memberId, orderId, couponId, productIds: [tea, cup] });
}

function request({ memberId, orderId, couponId, byPoints }: Shop, key = "pay-1") {
  return { memberId, orderId, couponId, points: byPoints, key };
}

/** Pays the shop's order while `around` breaks things, and reads everything before and after. */
async function payFor(stage: Stage, cast: Shop, around: (pay: () => Promise<Answer>) => Promise<Answer>): Promise<Outcome> {
  const before = await read(stage, cast);
  const answer = await around(() => stage.pay(request(cast)));
  await stage.network.calm();
  return { answer, before, after: await read(stage, cast) };
}

/** What a payment that went through leaves behind. */
async function expectPaid(stage: Stage, cast: Shop, { answer, before }: Pick<Outcome, "answer" | "before">): Promise<Outcome["after"]> {
  stage.expect("the client's status", answer.status, 200);
  const { byPoints = PAID } = cast;
  const points = (before.points ?? 0) - byPoints + accruedOn(PAID);
  const after = await awaitState(stage, cast, (state) => state.points === points && state.order === "PAID");
  stage.expect("order, coupon and payment", [after.order, after.coupon, after.payment], ["PAID", "USED", "PAID"]);
  stage.expect("stock is deducted once", sum(before.stock) - sum(after.stock), 3);
  stage.expect("points are deducted once, and accrued once", after.points, points);
  stage.expect("the card pays the rest, once", after.card, byPoints === PAID ? undefined : `captured ${PAID - byPoints}`);
  return after;
}

/** What a payment that went back leaves behind: an order that may be paid anew, and nothing else. */
function expectTakenBack(stage: Stage, { answer, before, after }: Outcome, payment: "FAILED" | undefined): void {
  const error = answer.body["error"] as { readonly _tag?: string } | undefined;
  stage.expect("the order", after.order, "PAYMENT_FAILED");
  if (error === undefined) stage.expect("a reason is kept", after.reason !== undefined, true);
  else stage.expect("the reason", after.reason, error._tag);
  stage.expect("the payment", after.payment, payment);
  expectUnchanged(stage, { before, after });
}

function expectUnchanged(stage: Stage, { before, after }: Pick<Outcome, "before" | "after">): void {
  stage.expect("the coupon", after.coupon, before.coupon);
  stage.expect("the stock", after.stock, before.stock);
  stage.expect("the points", after.points, before.points);
}

function expectRejected(stage: Stage, answer: Answer, status: number, tag: string): void {
  const error = answer.body["error"] as { readonly _tag?: string } | undefined;
  stage.expect("the client's answer", [answer.status, error?._tag, answer.body["decided"]], [status, tag, "key"]);
}

function expectFault(stage: Stage, answer: Answer): void {
  stage.expect(
    "a fault, not a rejection",
    [answer.status, answer.body["type"], answer.body["effect"]],
    [503, "urn:backstep:problem:saga-faulted", "none"],
  );
}

/** What follows an answer by event comes a moment later. Gives up after five seconds, and lets the expectations say what is missing. */
async function awaitState(stage: Stage, cast: Shop, wanted: (state: Outcome["after"]) => boolean): Promise<Outcome["after"]> {
  for (let looks = 0; looks < 200; looks += 1) {
    const state = await read(stage, cast);
    if (wanted(state)) return state;
    await sleep(25);
  }
  return read(stage, cast);
}

/** One hundredth of what was paid. */
function accruedOn(paidMinor: number): number {
  return Math.floor(paidMinor / 100);
}

function sum(stock: Readonly<Record<string, number>>): number {
  return Object.values(stock).reduce((left, right) => left + right, 0);
}

/** Loses the first answer of every command: it is executed, and nobody hears of it. */
const loseFirstAnswer: Rule = ({ method, count }) => (method === "POST" && count === 1 ? "loseAnswer" : "forward");

/** Breaks one kind of request, by the end of its path. */
function on(suffix: string, fate: Fate): Rule {
  return ({ path }) => (path.endsWith(suffix) ? fate : "forward");
}

const DEDUCT_STOCK = "/stock/deductions";
const RESTORE_STOCK = "/stock/restorations";
const DEDUCT_POINTS = "/deductions";
const RESTORE_POINTS = "/restorations";
const USE_COUPON = "/use";
const RESTORE_COUPON = "/restoration";
const BEGIN_PAYMENT = "/payment";
const MARK_PAID = "/payment/completion";

const refusals: readonly Scenario[] = [
  {
    id: "F1",
    title: "the member does not exist, or is inactive",
    async play(stage) {
      const cast = await shop(stage);
      const inactive = await stage.member({ points: 0, active: false });
      const orderOfInactive = await stage.order(inactive, [[cast.tea, 1, PRICE]]);
      const refused = await stage.pay({ orderId: orderOfInactive, memberId: inactive, key: "pay-1" });
      expectRejected(stage, refused, 409, "MemberInactive");
      stage.expect(
        "the inactive member's order",
        (await stage.state({ memberId: inactive, orderId: orderOfInactive, productIds: [] })).order,
        "CREATED",
      );
      const outcome = await payFor(stage, cast, () => stage.pay({ ...request(cast), memberId: "nobody" }));
      expectRejected(stage, outcome.answer, 404, "MemberNotFound");
      stage.expect("everything", outcome.after, outcome.before);
      return outcome;
    },
  },
  {
    id: "F2",
    title: "the order does not exist",
    async play(stage) {
      const cast = await shop(stage);
      const outcome = await payFor(stage, cast, () => stage.pay({ ...request(cast), orderId: "no-such-order" }));
      expectRejected(stage, outcome.answer, 404, "OrderNotFound");
      stage.expect("everything", outcome.after, outcome.before);
      return outcome;
    },
  },
  {
    id: "F3",
    title: "the order belongs to another member",
    async play(stage) {
      const cast = await shop(stage);
      const stranger = await stage.member({ points: POINTS });
      const outcome = await payFor(stage, cast, () => stage.pay({ orderId: cast.orderId, memberId: stranger, key: "pay-1" }));
      expectRejected(stage, outcome.answer, 403, "OrderNotOwned");
      stage.expect("the answer names the owner", outcome.answer.text.includes(cast.memberId), false);
      stage.expect("everything", outcome.after, outcome.before);
      return outcome;
    },
  },
  {
    id: "F4",
    title: "the coupon is expired, somebody else's, used, or below its minimum",
    async play(stage) {
      const cast = await shop(stage);
      const { memberId } = cast;
      const stranger = await stage.member({ points: 0 });
      const used = await shop(stage);
      await stage.pay(request(used));
      const cases = [
        { couponId: await stage.coupon({ memberId, discountMinor: DISCOUNT, expired: true }), status: 422, tag: "CouponExpired" },
        { couponId: await stage.coupon({ memberId: stranger, discountMinor: DISCOUNT }), status: 403, tag: "CouponNotOwned" },
        {
          couponId: await stage.coupon({ memberId, discountMinor: DISCOUNT, minimumOrderMinor: TOTAL + 1 }),
          status: 422,
          tag: "CouponBelowMinimum",
        },
      ];
      let outcome = await payFor(stage, cast, () => stage.pay({ ...request(cast), couponId: "no-such-coupon" }));
      expectRejected(stage, outcome.answer, 404, "CouponNotFound");
      for (const { couponId, status, tag } of cases) {
        outcome = await payFor(stage, cast, () => stage.pay({ ...request(cast, `pay-${tag}`), couponId }));
        expectRejected(stage, outcome.answer, status, tag);
        expectTakenBack(stage, outcome, undefined);
        stage.expect(`the coupon of ${tag}`, (await stage.state({ memberId, couponId, productIds: [] })).coupon, "ISSUED");
      }
      const again = await stage.order(used.memberId, [[used.tea, 1, PRICE]]);
      const twice = await stage.pay({ orderId: again, memberId: used.memberId, couponId: used.couponId, key: "pay-2" });
      expectRejected(stage, twice, 409, "CouponAlreadyUsed");
      return outcome;
    },
  },
  {
    id: "F5",
    title: "one of several lines is out of stock",
    async play(stage) {
      const cast = await shop(stage, { cupStock: 0 });
      const outcome = await payFor(stage, cast, (pay) => pay());
      expectRejected(stage, outcome.answer, 409, "OutOfStock");
      const error = outcome.answer.body["error"] as { readonly productId?: string; readonly available?: number } | undefined;
      stage.expect("which product, and how many are left", [error?.productId, error?.available], [cast.cup, 0]);
      expectTakenBack(stage, outcome, "FAILED");
      stage.expect("the same answer for the same key", (await stage.pay(request(cast))).text, outcome.answer.text);
      return outcome;
    },
  },
  {
    id: "F6",
    title: "there are not enough points",
    async play(stage) {
      const cast = await shop(stage, { points: PAID - 1 });
      const outcome = await payFor(stage, cast, (pay) => pay());
      expectRejected(stage, outcome.answer, 409, "InsufficientPoints");
      expectTakenBack(stage, outcome, "FAILED");
      return outcome;
    },
  },
];

const lostAnswers: readonly Scenario[] = [
  {
    id: "F7",
    title: "every service applies and loses its first answer",
    async play(stage) {
      const cast = await shop(stage);
      const outcome = await payFor(stage, cast, (pay) => {
        for (const name of ["order", "coupon", "product", "member-point"] as const) stage.network.proxy(name).setRule(loseFirstAnswer);
        return pay();
      });
      return { ...outcome, after: await expectPaid(stage, cast, outcome) };
    },
  },
  {
    id: "F8",
    title: "the stock, then the point service applies without answering, vanishes, and is back while the undo retries",
    async play(stage) {
      await vanish(stage, await shop(stage), "product", DEDUCT_STOCK);
      return vanish(stage, await shop(stage), "member-point", DEDUCT_POINTS);
    },
  },
  {
    id: "F8b",
    title: "the point service stays away past the undo's horizon, and an operator goes on when it is back",
    async play(stage) {
      const cast = await shop(stage);
      const points = stage.network.proxy("member-point");
      const before = await read(stage, cast);
      points.setRule(async ({ path }) => {
        if (path.endsWith(DEDUCT_POINTS)) return "neverAnswer";
        // The undo's first request finds nobody there, nor does any after it.
        if (path.endsWith(RESTORE_POINTS)) await points.down();
        return "fail";
      });
      const sagaId = sagaIdOf(request(cast));
      const parked = await stage.pay(request(cast));
      stage.expect("the client is told where to look", [parked.status, parked.body["status"]], [202, "parked"]);
      const status = await stage.until(sagaId, ({ status: found }) => found === "parked");
      stage.expect("the stuck one is named", parkedSteps(status), ["member-point.deduct-points compensation"]);
      stage.expect("the order is still held", (await read(stage, cast)).order, "PAYMENT_PENDING");
      await stage.network.calm();
      stage.expect("retry", await retryParked(stage, sagaId), 204);
      const answer = await stage.payPatiently(request(cast));
      const outcome = { answer, before, after: await read(stage, cast) };
      expectFault(stage, answer);
      expectTakenBack(stage, outcome, "FAILED");
      return outcome;
    },
  },
  {
    id: "F9",
    title: "the late request arrives after its undo",
    async play(stage) {
      const cast = await shop(stage);
      const outcome = await payFor(stage, cast, (pay) => {
        stage.network.proxy("product").setRule(on(DEDUCT_STOCK, "hold"));
        return pay();
      });
      expectFault(stage, outcome.answer);
      expectTakenBack(stage, outcome, "FAILED");
      const statuses = await stage.network.proxy("product").releaseHeld();
      stage.expect("late requests find their key sealed", [statuses.length > 0, statuses.every((status) => status === 410)], [true, true]);
      const after = await read(stage, cast);
      expectUnchanged(stage, { before: outcome.before, after });
      return { ...outcome, after };
    },
  },
];

/** Applied, never answered, then gone: the step is spent in doubt, and its undo finds the service again. */
async function vanish(stage: Stage, cast: Shop, name: "product" | "member-point", route: string): Promise<Outcome> {
  const proxy = stage.network.proxy(name);
  const outcome = await payFor(stage, cast, async (pay) => {
    const sagaId = sagaIdOf(request(cast));
    const applied = new Promise<void>((resolve) => {
      proxy.setRule(({ path }) => (path.endsWith(route) ? { fate: "neverAnswer", delivered: resolve } : "forward"));
    });
    const paying = pay();
    await applied;
    await proxy.down();
    await stage.until(sagaId, ({ cause }) => cause !== undefined);
    // Long enough for the undo to find nobody there, and try again.
    await sleep(300);
    proxy.setRule(() => "forward");
    await proxy.up();
    return paying;
  });
  expectFault(stage, outcome.answer);
  expectTakenBack(stage, outcome, "FAILED");
  return outcome;
}

interface KillPoint {
  readonly name: PeerName;
  readonly route: string;
  /** Killed before the service gets the request, or after it executed it. */
  readonly when: "before" | "after";
  readonly endsPaid: boolean;
}

const KILL_POINTS: readonly KillPoint[] = [
  { name: "order", route: BEGIN_PAYMENT, when: "before", endsPaid: true },
  { name: "coupon", route: USE_COUPON, when: "after", endsPaid: true },
  { name: "product", route: DEDUCT_STOCK, when: "after", endsPaid: true },
  { name: "member-point", route: DEDUCT_POINTS, when: "before", endsPaid: true },
  { name: "order", route: MARK_PAID, when: "after", endsPaid: true },
  { name: "product", route: RESTORE_STOCK, when: "after", endsPaid: false },
  { name: "coupon", route: RESTORE_COUPON, when: "before", endsPaid: false },
];

const crashes: readonly Scenario[] = KILL_POINTS.map((point, index) => ({
  id: index === 0 ? "F10" : `F10.${index + 1}`,
  title: `the payment service is killed ${point.when} ${point.name} handles ${point.route}`,
  async play(stage) {
    const cast = await shop(stage, point.endsPaid ? {} : { points: 0 });
    const outcome = await killAt(stage, cast, point);
    if (point.endsPaid) return { ...outcome, after: await expectPaid(stage, cast, outcome) };
    expectRejected(stage, outcome.answer, 409, "InsufficientPoints");
    expectTakenBack(stage, outcome, "FAILED");
    return outcome;
  },
}));

/** Kills the payment service at the first request of a route, starts it again, and asks until the answer is final. */
async function killAt(stage: Stage, cast: Shop, { name, route, when }: KillPoint): Promise<Outcome> {
  const proxy = stage.network.proxy(name);
  let killed: Promise<void> | undefined;
  const kill = (): Promise<void> => {
    killed ??= stage.network.killPayment();
    return killed;
  };
  const before = await read(stage, cast);
  proxy.setRule(async ({ path }) => {
    if (!path.endsWith(route) || killed !== undefined) return "forward";
    if (when === "after") return { fate: "neverAnswer", delivered: kill };
    await kill();
    return "forward";
  });
  const first = await stage.pay(request(cast)).catch(() => undefined);
  stage.expect("the first request got no answer", first?.status, undefined);
  await killed;
  await stage.network.restartPayment();
  const answer = await stage.payPatiently(request(cast));
  await stage.network.calm();
  stage.expect("the same answer on asking again", (await stage.pay(request(cast))).text, answer.text);
  return { answer, before, after: await read(stage, cast) };
}

const stuckUndo: readonly Scenario[] = [
  {
    id: "F11",
    title: "an undo keeps failing; an operator retries once it can work",
    async play(stage) {
      const cast = await shop(stage, { points: 0 });
      const { before, answer: parked } = await stick(stage, cast);
      await stage.network.calm();
      stage.expect("retry", await retryParked(stage, sagaIdOf(request(cast))), 204);
      const answer = await stage.payPatiently(request(cast));
      const outcome = { answer, before, after: await read(stage, cast) };
      stage.expect("the client was told where to look", parked.location, `/checkouts/${encodeURIComponent(sagaIdOf(request(cast)))}`);
      expectRejected(stage, answer, 409, "InsufficientPoints");
      expectTakenBack(stage, outcome, "FAILED");
      return outcome;
    },
  },
  {
    id: "F11b",
    title: "an undo keeps failing; an operator gives it up and frees the order",
    async play(stage) {
      const cast = await shop(stage, { points: 0 });
      const { before } = await stick(stage, cast);
      await stage.network.calm();
      const sagaId = sagaIdOf(request(cast));
      stage.expect("abandon", await stage.operate(sagaId, "abandon", {}), 204);
      const released = await stage.release(sagaId);
      stage.expect("the orders that were freed", released, [cast.orderId]);
      const answer = await stage.pay(request(cast));
      const after = await read(stage, cast);
      stage.expect("the client's answer", [answer.status, answer.body["type"]], [409, "urn:backstep:problem:saga-abandoned"]);
      stage.expect(
        "what is left",
        [after.order, after.coupon, after.stock, after.points],
        ["PAYMENT_FAILED", "USED", before.stock, before.points],
      );
      return { answer, before, after };
    },
  },
];

/** Points are short, so everything goes back, and the coupon service fails every restoration until the saga is parked. */
async function stick(stage: Stage, cast: Shop): Promise<{ readonly before: Outcome["before"]; readonly answer: Answer }> {
  const before = await read(stage, cast);
  stage.network.proxy("coupon").setRule(on(RESTORE_COUPON, "fail"));
  const answer = await stage.pay(request(cast));
  stage.expect("the client is told", [answer.status, answer.body["status"]], [202, "parked"]);
  const status = await stage.until(sagaIdOf(request(cast)), ({ status: found }) => found === "parked");
  stage.expect("the stuck one is named", parkedSteps(status), ["coupon.use-coupon compensation"]);
  const meanwhile = await read(stage, cast);
  stage.expect("later steps are undone", [meanwhile.stock, meanwhile.payment], [before.stock, "FAILED"]);
  stage.expect("the stuck and the earlier ones wait", [meanwhile.coupon, meanwhile.order], ["USED", "PAYMENT_PENDING"]);
  return { before, answer };
}

type Status = NonNullable<Awaited<ReturnType<Stage["status"]>>>;

function parkedSteps({ operations }: Status): readonly string[] {
  return operations.filter(({ outcome }) => outcome === "parked").map(({ step, slot }) => `${step} ${slot}`);
}

async function retryParked(stage: Stage, sagaId: string): Promise<number> {
  const status = await stage.status(sagaId);
  const stuck = status?.operations.find(({ outcome }) => outcome === "parked");
  return stage.operate(sagaId, "retry", { path: stuck?.path ?? "", slot: stuck?.slot ?? "action" });
}

const rivals: readonly Scenario[] = [
  {
    id: "F12",
    title: "the order is paid twice at once, with different keys",
    async play(stage) {
      const cast = await shop(stage);
      const before = await read(stage, cast);
      const answers = await Promise.all([stage.pay(request(cast, "pay-1")), stage.pay(request(cast, "pay-2"))]);
      const [paid, refused] = answers.toSorted((left, right) => left.status - right.status);
      if (paid === undefined || refused === undefined) throw new Error("two requests have two answers");
      const error = refused.body["error"] as { readonly _tag?: string } | undefined;
      stage.expect("one is refused", [refused.status, ["OrderBeingPaid", "OrderNotPayable"].includes(error?._tag ?? "")], [409, true]);
      stage.expect("the refusal names nobody", refused.text.includes(cast.memberId), false);
      return { answer: paid, before, after: await expectPaid(stage, cast, { answer: paid, before }) };
    },
  },
  {
    id: "F13",
    title: "the order service vanishes after the pivot, and is back within the horizon",
    async play(stage) {
      const cast = await shop(stage);
      const before = await read(stage, cast);
      const paying = await payWithoutOrders(stage, cast);
      await stage.network.proxy("order").up();
      const answer = await paying.answer;
      return { answer, before, after: await expectPaid(stage, cast, { answer, before }) };
    },
  },
  {
    id: "F13b",
    title: "the order service vanishes after the pivot, and stays away past the horizon: parked, and only the way forward is open",
    async play(stage) {
      const cast = await shop(stage);
      const before = await read(stage, cast);
      const paying = await payWithoutOrders(stage, cast);
      const parked = await paying.answer;
      stage.expect("accepted, never a failure", [parked.status, parked.body["status"]], [202, "parked"]);
      const status = await stage.until(sagaIdOf(request(cast)), ({ status: found }) => found === "parked");
      stage.expect("the stuck one is named", parkedSteps(status), ["order.mark-paid action"]);
      stage.expect("nothing is undone", undone(status), []);
      await stage.network.calm();
      stage.expect("retry", await retryParked(stage, sagaIdOf(request(cast))), 204);
      const answer = await stage.payPatiently(request(cast));
      return { answer, before, after: await expectPaid(stage, cast, { answer, before }) };
    },
  },
];

/** Pays while the order service vanishes after its first part is done; comes back once the payment is made and the order does not know. */
async function payWithoutOrders(stage: Stage, cast: Shop): Promise<{ readonly answer: Promise<Answer> }> {
  const orders = stage.network.proxy("order");
  stage.network.proxy("member-point").setRule(async ({ path }): Promise<Fate> => {
    if (path.endsWith(DEDUCT_POINTS)) await orders.down();
    return "forward";
  });
  const answer = stage.pay(request(cast));
  await stage.until(sagaIdOf(request(cast)), ({ operations }) => operations.some(({ path }) => path.startsWith("complete/")));
  stage.expect("paid, and the order does not know yet", await paymentAndOrder(stage, cast), ["PAID", "PAYMENT_PENDING"]);
  return { answer };
}

function undone({ operations }: Status): readonly string[] {
  return operations.filter(({ slot }) => slot === "compensation").map(({ step }) => step);
}

async function paymentAndOrder(stage: Stage, cast: Shop): Promise<readonly unknown[]> {
  const { payment, order } = await read(stage, cast);
  return [payment, order];
}

const HALF = PAID / 2;
const AUTHORISATIONS = "/v1/authorisations";
const CAPTURES = "/captures";

/** An order that is paid by points and by card. */
async function cardShop(stage: Stage, byPoints = HALF): Promise<Shop> {
  return { ...(await shop(stage)), byPoints };
}

function isQuestion(path: string): boolean {
  return path.startsWith("/v1/idempotency-keys/");
}

const cards: readonly Scenario[] = [
  {
    id: "G1",
    title: "half by points, half by card: approved",
    async play(stage) {
      const cast = await cardShop(stage);
      const outcome = await payFor(stage, cast, (pay) => pay());
      return { ...outcome, after: await expectPaid(stage, cast, outcome) };
    },
  },
  {
    id: "G2",
    title: "the issuer declines the card",
    async play(stage) {
      // What is left for the card ends in 51.
      const cast = await cardShop(stage, PAID - 1_451);
      const outcome = await payFor(stage, cast, (pay) => pay());
      expectRejected(stage, outcome.answer, 402, "AuthorisationDeclined");
      const error = outcome.answer.body["error"] as { readonly reason?: string } | undefined;
      stage.expect("the issuer's reason", error?.reason, "insufficient-funds");
      expectTakenBack(stage, outcome, "FAILED");
      stage.expect("nothing is held at the gateway", outcome.after.card, undefined);
      return outcome;
    },
  },
  {
    id: "G3",
    title: "the gateway takes the money and never answers: in doubt, neither way is open, until it can be asked",
    async play(stage) {
      const cast = await cardShop(stage);
      const before = await read(stage, cast);
      const gateway = stage.network.proxy("gateway");
      let captures = 0;
      const asked = new Promise<void>((resolve) => {
        gateway.setRule(({ path }) => {
          if (path.endsWith(CAPTURES)) {
            captures += 1;
            return "neverAnswer";
          }
          if (isQuestion(path)) resolve();
          return isQuestion(path) ? "fail" : "forward";
        });
      });
      const paying = stage.pay(request(cast));
      await asked;
      const meanwhile = await read(stage, cast);
      stage.expect("taken, and nobody knows", [meanwhile.card, meanwhile.payment], [`captured ${HALF}`, "PENDING"]);
      stage.expect("the order is still held", meanwhile.order, "PAYMENT_PENDING");
      const status = await stage.until(sagaIdOf(request(cast)), ({ operations }) =>
        operations.some(({ path }) => path.startsWith("pivot/")),
      );
      stage.expect("nothing is undone, and nothing goes on", [undone(status), beyondPivot(status)], [[], []]);
      await stage.network.calm();
      const answer = await paying;
      stage.expect("it is asked about, not repeated", captures, 1);
      return { answer, before, after: await expectPaid(stage, cast, { answer, before }) };
    },
  },
  {
    id: "G4",
    title: "the gateway reserves the amount and never answers: all goes back, and the undo finds it and lets it go",
    async play(stage) {
      const cast = await cardShop(stage);
      const outcome = await payFor(stage, cast, async (pay) => {
        stage.network.proxy("gateway").setRule(({ path }) => {
          if (path === AUTHORISATIONS) return "neverAnswer";
          return isQuestion(path) ? "fail" : "forward";
        });
        const paying = pay();
        await stage.until(sagaIdOf(request(cast)), ({ cause }) => cause !== undefined);
        await stage.network.calm();
        return paying;
      });
      expectFault(stage, outcome.answer);
      expectTakenBack(stage, outcome, "FAILED");
      stage.expect("nothing is left reserved", outcome.after.card, `voided ${HALF}`);
      return outcome;
    },
  },
  {
    id: "G5",
    title: "the payment service is killed after the gateway took the money",
    async play(stage) {
      const cast = await cardShop(stage);
      const outcome = await killAt(stage, cast, { name: "gateway", route: CAPTURES, when: "after", endsPaid: true });
      return { ...outcome, after: await expectPaid(stage, cast, outcome) };
    },
  },
];

function beyondPivot({ operations }: Status): readonly string[] {
  return operations.filter(({ path }) => path.startsWith("complete/")).map(({ step }) => step);
}

const happyPath: Scenario = {
  id: "F0",
  title: "nothing goes wrong",
  async play(stage) {
    const cast = await shop(stage);
    const outcome = await payFor(stage, cast, (pay) => pay());
    return { ...outcome, after: await expectPaid(stage, cast, outcome) };
  },
};

/** A member rich enough for one large order, paid up to where it waits. */
async function payLarge(
  stage: Stage,
): Promise<{ readonly cast: Shop; readonly before: Outcome["before"]; readonly paying: Promise<unknown> }> {
  const cast = await shop(stage, { points: 4 * APPROVAL_FROM_MINOR, priceMinor: APPROVAL_FROM_MINOR });
  const before = await read(stage, cast);
  const paying = stage.pay(request(cast)).catch(() => undefined);
  await stage.until(sagaIdOf(request(cast)), ({ status }) => status === "waiting");
  return { cast, before, paying };
}

const waiting: readonly Scenario[] = [
  {
    id: "W1",
    title: "a large payment waits for somebody's approval, through a restart of the payment service",
    async play(stage) {
      const { cast, before, paying } = await payLarge(stage);
      await stage.network.killPayment();
      await paying;
      await stage.network.restartPayment();
      const sagaId = sagaIdOf(request(cast));
      stage.expect("it still waits", (await stage.status(sagaId))?.status, "waiting");
      stage.expect("the approval is taken", await stage.approve(sagaId, true), 204);
      stage.expect("and is one, however often it is given", await stage.approve(sagaId, true), 204);
      const answer = await stage.payPatiently(request(cast));
      const outcome = { answer, before, after: await read(stage, cast) };
      stage.expect("the client's status", answer.status, 200);
      stage.expect("order and payment", [outcome.after.order, outcome.after.payment], ["PAID", "PAID"]);
      return outcome;
    },
  },
  {
    id: "W2",
    title: "somebody refuses a large payment",
    async play(stage) {
      const { cast, before, paying } = await payLarge(stage);
      stage.expect("the word is taken", await stage.approve(sagaIdOf(request(cast)), false), 204);
      await paying;
      const answer = await stage.payPatiently(request(cast));
      const outcome = { answer, before, after: await read(stage, cast) };
      expectRejected(stage, answer, 422, "PaymentNotApproved");
      expectTakenBack(stage, outcome, "FAILED");
      return outcome;
    },
  },
  {
    id: "W3",
    title: "a payment is cancelled while it waits, and cannot be any more once it is paid",
    async play(stage) {
      const { cast, before, paying } = await payLarge(stage);
      const sagaId = sagaIdOf(request(cast));
      stage.expect("cancel", await stage.operate(sagaId, "cancel", {}), 204);
      await paying;
      const answer = await stage.payPatiently(request(cast));
      const outcome = { answer, before, after: await read(stage, cast) };
      stage.expect("the client's answer", [answer.status, answer.body["type"]], [409, "urn:backstep:problem:saga-cancelled"]);
      expectTakenBack(stage, outcome, "FAILED");
      const paid = await shop(stage);
      await stage.pay(request(paid));
      stage.expect("what is paid is not cancelled", await stage.operate(sagaIdOf(request(paid)), "cancel", {}), 409);
      return outcome;
    },
  },
];

export const SCENARIOS: readonly Scenario[] = [
  happyPath,
  ...refusals,
  ...lostAnswers,
  ...crashes,
  ...stuckUndo,
  ...rivals,
  ...waiting,
  ...cards,
];
