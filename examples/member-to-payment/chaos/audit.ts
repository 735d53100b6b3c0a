/**
 * What must hold over everything once all is well again: the invariants of each saga, the books of all services, and that they tell one story. Reads every service over HTTP, the journal as it
 * is stored, and the fences and the inbox in their tables; then asks everybody again.
 */
import type { JournalStore } from "@backstep/saga-core/journal";
import pg from "pg";
import { type ConservationReport, CURRENCY, checkConservation, readAll, type Violation } from "../src/conservation.ts";
import { type Checkout, CheckoutClient } from "./checkout-client.ts";
import type { Fleet } from "./fleet.ts";
import { Random } from "./random.ts";
import type { Shop } from "./shop.ts";
import { readStories, type Story } from "./stories.ts";

const SIDE_BY_SIDE = 16;
const FENCED = ["member", "member_point", "product", "coupon", "order", "payment"] as const;

export interface AuditSubjects {
  readonly fleet: Fleet;
  readonly shop: Shop;
  readonly checkouts: readonly Checkout[];
  readonly store: JournalStore;
}

export interface AuditReport {
  readonly stories: ReadonlyMap<string, Story>;
  readonly books: ConservationReport;
  readonly askedAgain: number;
  readonly violations: readonly Violation[];
}

export async function audit({ fleet, shop, checkouts, store }: AuditSubjects): Promise<AuditReport> {
  const stories = await readStories(store);
  const abandoned = new Set([...stories.values()].flatMap(({ sagaId, status }) => (status === "abandoned" ? [sagaId] : [])));
  const books = await checkConservation(fleet.services, shop.openings, abandoned);
  await askAgain(fleet, checkouts);
  return {
    stories,
    books,
    askedAgain: checkouts.filter(({ answer }) => answer !== undefined).length,
    violations: [
      ...[...stories.values()].flatMap(({ violations }) => violations),
      ...books.violations,
      ...answerViolations(checkouts, stories),
      ...(await recordViolations(fleet, stories)),
      ...(await pointViolations(fleet, shop, stories)),
      ...(await tableViolations(fleet.postgres.url(), stories)),
      ...(await outboxViolations(store)),
    ],
  };
}

/** Every key once more, at any worker: an answer that was given stays. */
async function askAgain(fleet: Fleet, checkouts: readonly Checkout[]): Promise<void> {
  const client = new CheckoutClient(fleet.workerUrls, new Random(checkouts.length));
  const queue = checkouts.filter(({ answer }) => answer !== undefined);
  const work = async (): Promise<void> => {
    for (let checkout = queue.pop(); checkout !== undefined; checkout = queue.pop())
      await client.pay(checkout, AbortSignal.timeout(60_000));
  };
  await Promise.all(Array.from({ length: SIDE_BY_SIDE }, work));
}

/** Every client has an answer, which is what the journal says; and no saga is anybody's but a client's. */
function answerViolations(checkouts: readonly Checkout[], stories: ReadonlyMap<string, Story>): readonly Violation[] {
  const asked = new Set(checkouts.map(({ sagaId }) => sagaId));
  const stray = [...stories.keys()].filter((sagaId) => !asked.has(sagaId));
  return [
    ...stray.map((about) => ({ law: "every saga was asked for", about, expected: "a client", found: "nobody" })),
    ...checkouts.flatMap(({ sagaId, answer, contradiction }) => {
      const story = stories.get(sagaId);
      const law = "the answer to a client is the saga's end";
      if (answer === undefined)
        return [{ law: "every client gets an answer", about: sagaId, expected: "an answer", found: story?.status ?? "no saga" }];
      if (story === undefined)
        return [{ law: "nothing that was answered is lost", about: sagaId, expected: "a saga", found: `answered ${answer.status}` }];
      const told = toldBy(answer.status, answer.text);
      const meant = story.status === "completed" ? `200 ${story.output?.paymentId}` : meaningOf(story);
      return [
        ...(told === meant ? [] : [{ law, about: sagaId, expected: meant, found: `${told} (${answer.status})` }]),
        ...(contradiction === undefined
          ? []
          : [
              {
                law: "the same key gets the same answer",
                about: sagaId,
                expected: `${answer.status} ${answer.text}`,
                found: `${contradiction.status} ${contradiction.text}`,
              },
            ]),
      ];
    }),
  ];
}

interface AnswerBody {
  readonly paymentId?: string;
  readonly type?: string;
  readonly error?: { readonly _tag?: string };
}

function toldBy(status: number, text: string): string {
  const body = JSON.parse(text) as AnswerBody;
  return status === 200 ? `200 ${body.paymentId}` : (body.error?._tag ?? body.type?.split(":").at(-1) ?? text);
}

const ENDS_OF_THE_ENGINE: Readonly<Record<string, string>> = {
  FaultedCause: "saga-faulted",
  CancelledCause: "saga-cancelled",
  DeadlineCause: "saga-deadline-exceeded",
};

function meaningOf({ status, cause = "" }: Story): string {
  return status === "compensated" ? (ENDS_OF_THE_ENGINE[cause] ?? cause) : status;
}

/** Orders, coupons and payments say of each saga what its end says, and nothing is held for one that has ended. */
async function recordViolations({ services }: Fleet, stories: ReadonlyMap<string, Story>): Promise<readonly Violation[]> {
  const orders = new Map((await readAll.orders(services)).map((order) => [order.orderId, order]));
  const payments = await readAll.payments(services);
  const coupons = await readAll.coupons(services);
  const violations: Violation[] = [];
  const object = (law: string, about: string, expected: string, found: string): unknown => violations.push({ law, about, expected, found });
  const isCompleted = (sagaId: string | undefined): boolean => stories.get(sagaId ?? "")?.status === "completed";

  for (const { orderId, state } of orders.values()) {
    if (state._tag === "PAYMENT_PENDING") object("no order is held by a saga that has ended", orderId, "let go", state.sagaId);
    if (state._tag === "PAID" && !isCompleted(state.sagaId))
      object("a paid order was paid by a saga that completed", orderId, "completed", state.sagaId);
    if (state._tag === "PAYMENT_FAILED" && isCompleted(state.sagaId))
      object("what a completed saga paid is paid", orderId, "PAID", state._tag);
  }
  for (const { sagaId, status, input, output } of stories.values()) {
    const state = orders.get(input.orderId)?.state;
    const paidBy = state?._tag === "PAID" ? `${state.sagaId} ${state.paymentId}` : state?._tag;
    if (status === "completed" && paidBy !== `${sagaId} ${output?.paymentId}`)
      object("a completed saga's order is paid, by it", sagaId, `${sagaId} ${output?.paymentId}`, String(paidBy));
  }
  const uses = new Map(coupons.flatMap(({ couponId, state }) => (state._tag === "USED" ? [[state.sagaId, couponId] as const] : [])));
  for (const { sagaId, status, input } of stories.values()) {
    const expected = status === "completed" ? input.couponId : undefined;
    if (uses.get(sagaId) !== expected)
      object("a coupon is used if, and only if, its saga completed", sagaId, String(expected), String(uses.get(sagaId)));
  }
  const paid = new Map<string, number>();
  for (const { paymentId, sagaId, state } of payments) {
    if (state._tag === "PAID") paid.set(sagaId ?? "", (paid.get(sagaId ?? "") ?? 0) + 1);
    if (state._tag === "PENDING") object("no payment is left pending", paymentId, "PAID or FAILED", state._tag);
    if ((state._tag === "PAID") !== isCompleted(sagaId))
      object("a payment is paid if, and only if, its saga completed", paymentId, String(isCompleted(sagaId)), state._tag);
  }
  for (const { sagaId, status } of stories.values()) {
    const times = paid.get(sagaId) ?? 0;
    if (times !== (status === "completed" ? 1 : 0)) object("a saga pays once, or not at all", sagaId, status, `${times} payments`);
  }
  return violations;
}

/** Of each saga: deducted once at most; of one that went back, as often as restored; of one that completed, never restored. */
async function pointViolations({ services }: Fleet, { members }: Shop, stories: ReadonlyMap<string, Story>): Promise<readonly Violation[]> {
  const counts = new Map<string, { Deducted: number; Restored: number }>();
  for (const memberId of members) {
    for (const { _tag, reference } of await readAll.entries(services, { memberId, currency: CURRENCY })) {
      if (_tag !== "Deducted" && _tag !== "Restored") continue;
      const sagaId = reference.slice(0, reference.indexOf("/"));
      const count = counts.get(sagaId) ?? { Deducted: 0, Restored: 0 };
      count[_tag] += 1;
      counts.set(sagaId, count);
    }
  }
  return [...counts].flatMap(([about, { Deducted, Restored }]) => {
    const status = stories.get(about)?.status;
    const kept = Deducted === 1 && Restored === (status === "completed" ? 0 : 1);
    return kept
      ? []
      : [
          {
            law: "points are deducted once, and restored if the saga went back",
            about,
            expected: status ?? "no saga",
            found: `${Deducted} deducted, ${Restored} restored`,
          },
        ];
  });
}

/** Nothing is left open in a fence, no evidence was lost, and each event of a payment was taken in once. */
async function tableViolations(url: string, stories: ReadonlyMap<string, Story>): Promise<readonly Violation[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const violations: Violation[] = [];
    for (const schema of FENCED) {
      const { rows } = await client.query<{ readonly key: string; readonly state: string }>(
        `SELECT key, document::jsonb #>> '{state,_tag}' AS state FROM "${schema}".backstep_fence WHERE document::jsonb #>> '{state,_tag}' IN ('Open', 'GoingBack', 'EvidenceLost')`,
      );
      for (const { key, state } of rows)
        violations.push({ law: "a fence has decided on every key", about: `${schema} ${key}`, expected: "decided", found: state });
    }
    const { rows } = await client.query<{ readonly count: number }>(`SELECT count(*)::int AS count FROM member_point.backstep_inbox`);
    const completed = [...stories.values()].filter(({ status }) => status === "completed").length;
    const found = rows[0]?.count ?? 0;
    return found === completed
      ? violations
      : [...violations, { law: "one event per completed saga was taken in", about: "inbox", expected: completed, found }];
  } finally {
    await client.end();
  }
}

async function outboxViolations({ outbox }: JournalStore): Promise<readonly Violation[]> {
  const left = (await outbox.pending({ limit: 10 })).unwrapOr([]);
  return left.map(({ id }) => ({ law: "nothing is left to be published", about: id, expected: "published", found: "in the outbox" }));
}
