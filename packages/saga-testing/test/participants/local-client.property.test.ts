/**
 * Goal: a local client answers what the client, the server and the same service behind it answer together. Method: random calls of both, side by side, on services
 * that are made alike: stock, and cards at a gateway that sometimes does not answer; every answer is compared.
 */
import type { Contract } from "@backstep/contract";
import { type Client, createClient } from "@backstep/http-adapter/client";
import { createServer } from "@backstep/http-adapter/server";
import { createFence, createMemoryDatabase, type Database, type Fence } from "@backstep/participant";
import { createMemoryGateway, createPaymentService, type PaymentGateway, paymentContract } from "@backstep/payment";
import { createProductService, productContract } from "@backstep/product";
import type { IdempotencyKey } from "@backstep/saga-core/adapter";
import fc from "fast-check";
import { expect, test } from "vitest";
import { localClient } from "../../src/participants/local-client.ts";
import { callOf, type Ground, openGround, START, told, undoOf } from "./ground.ts";

const RETENTION_MS = 120_000;

interface AnyCall {
  (input: unknown, call: unknown): PromiseLike<never>;
  resolve(input: unknown, call: unknown): PromiseLike<never>;
}
type AnyClient = Readonly<Record<string, AnyCall>>;

interface Side {
  readonly database: Database;
  readonly fence: Fence;
}

function openSide(ground: Ground): Side {
  const database = createMemoryDatabase({ now: ground.now });
  return { database, fence: createFence({ database, retentionMs: RETENTION_MS, runningLeaseMs: 30_000 }) };
}

function overTheWire<Any extends Contract>(contract: Any, service: never, side: Side): Client<Any> {
  const server = createServer({ contract, service, ...side });
  return createClient(contract, { baseUrl: "http://participant.test", fetch: (request) => server.fetch(request) });
}

interface Move {
  readonly operation: string;
  readonly input: unknown;
  readonly call: unknown;
  readonly asks: boolean;
  readonly laterMs: number;
}

async function expectAlike(ground: Ground, local: AnyClient, wire: AnyClient, moves: readonly Move[]): Promise<void> {
  for (const { operation, input, call, asks, laterMs } of moves) {
    ground.clock += laterMs;
    const answers: unknown[] = [];
    for (const client of [local, wire]) {
      const called = client[operation] as AnyCall;
      answers.push(told(await (asks ? called.resolve(input, call) : called(input, call))));
    }
    expect(answers[0], `${operation} ${JSON.stringify(input)}`).toEqual(answers[1]);
  }
}

const paths = fc.constantFrom("a", "b", "c");
const known = fc.constantFrom("succeeded" as const, "inDoubt" as const);
const laterMs = fc.oneof(
  { weight: 4, arbitrary: fc.constant(0) },
  { weight: 2, arbitrary: fc.constant(31_000) },
  fc.constant(1_500),
  fc.constant(130_000),
);
const issuedAt = fc.oneof({ weight: 4, arbitrary: fc.constant(START) }, fc.constant(START + 100_000));
const calls = fc.oneof(
  { weight: 6, arbitrary: fc.tuple(paths, issuedAt).map(([path, at]) => callOf(path, at)) },
  fc.constant({ ...callOf("a"), key: "two words" as IdempotencyKey }),
  fc.constant({ key: callOf("b").key }),
);
const undos = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.tuple(paths, known, issuedAt).map(([path, what, at]) => ({ ...undoOf(path, what, at), cause: "OutOfStock" })),
  },
  fc.constant({ ...undoOf("a"), key: callOf("a").key }),
);
const asks = fc.constantFrom(false, false, false, true);

const tea = fc.constantFrom("tea", "cup", "..", "");
const lines = fc.record({ orderId: fc.constant("o1"), productId: tea, quantity: fc.constantFrom(1, 2, 0) });

test("a service of its own rows", async () => {
  const move: fc.Arbitrary<Move> = fc.oneof(
    { weight: 3, arbitrary: fc.record({ operation: fc.constant("deductStock"), input: lines, call: calls, asks, laterMs }) },
    { weight: 3, arbitrary: fc.record({ operation: fc.constant("restoreStock"), input: lines, call: undos, asks, laterMs }) },
    fc.record({
      operation: fc.constant("addStock"),
      input: fc.record({ productId: fc.constantFrom("tea", "cup"), quantity: fc.constant(1) }),
      call: calls,
      asks,
      laterMs,
    }),
    fc.record({
      operation: fc.constant("findProduct"),
      input: fc.record({ productId: tea }),
      call: fc.constant({}),
      asks: fc.constant(false),
      laterMs,
    }),
    fc.record({
      operation: fc.constant("listProducts"),
      input: fc.constantFrom({}, { after: "tea" }, { after: undefined }, { after: 7 }, { after: [] }),
      call: fc.constant({}),
      asks: fc.constant(false),
      laterMs,
    }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(move, { maxLength: 20 }), async (moves) => {
      const ground = openGround();
      const [left, right] = [openSide(ground), openSide(ground)];
      const local = localClient(productContract, createProductService(), { site: ground, ...left });
      const wire = overTheWire(productContract, createProductService() as never, right);
      for (const client of [local, wire]) {
        await client.registerProduct({ productId: "tea", name: "Tea", price: { amountMinor: 1, currency: "KRW" } }, callOf("register"));
        await client.addStock({ productId: "tea", quantity: 3 }, callOf("add"));
      }
      await expectAlike(ground, local as unknown as AnyClient, wire as unknown as AnyClient, moves);
      const standing = ground.applied.length - ground.takenBack.length;
      const { deductions } = (await wire.listDeductions({ orderId: "o1" }))._unsafeUnwrap();
      const { available } = (await wire.findProduct({ productId: "tea" }))._unsafeUnwrap();
      const taken = deductions.reduce((sum, { quantity }) => sum + quantity, 0);
      // Registering and adding are effects, too; every delivery after the first is of one unit.
      expect(standing).toBe(2 + (available + taken - 3) + deductions.length);
    }),
    { numRuns: 200 },
  );
});

/** Does as it is told: answers, is down, or does it and gives no answer. */
type Mood = "up" | "down" | "mute";

function moody(gateway: PaymentGateway, moods: readonly Mood[]): PaymentGateway {
  let calls = 0;
  const next = async <Answer>(work: () => Promise<Answer>): Promise<Answer> => {
    const mood = moods[calls++ % moods.length];
    if (mood === "down") throw new Error("the gateway is down");
    const answer = await work();
    if (mood === "mute") throw new Error("the gateway does not answer");
    return answer;
  };
  return {
    authorise: (request, call) => next(() => gateway.authorise(request, call)),
    capture: (request, call) => next(() => gateway.capture(request, call)),
    void: (request, call) => next(() => gateway.void(request, call)),
    settle: (key, signal) => next(() => gateway.settle(key, signal)),
  };
}

test("a service whose effects are at a gateway", async () => {
  const amount = { amountMinor: 5, currency: "KRW" };
  const money = fc.constantFrom(amount, { ...amount, amountMinor: 6 });
  const authorisePath = fc.constantFrom("x", "y");
  const authoriseCalls = authorisePath.map((path) => callOf(path));
  const voidCalls = fc.tuple(authorisePath, known).map(([path, what]) => undoOf(path, what));
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.constantFrom<Mood>("up", "up", "down", "mute"), { minLength: 1, maxLength: 6 }),
      fc.array(
        fc.tuple(
          fc.constantFrom("authorisePayment", "voidAuthorisation", "capturePayment"),
          money,
          authoriseCalls,
          voidCalls,
          asks,
          laterMs,
        ),
        { maxLength: 20 },
      ),
      async (moods, steps) => {
        const ground = openGround();
        const [left, right] = [openSide(ground), openSide(ground)];
        const gateways = [createMemoryGateway(), createMemoryGateway()] as const;
        const local = localClient(paymentContract, createPaymentService({ gateway: moody(gateways[0], moods) }), { site: ground, ...left });
        const wire = overTheWire(paymentContract, createPaymentService({ gateway: moody(gateways[1], moods) }) as never, right);
        const request = { orderId: "o1", memberId: "m1", amount, cardMinor: 5 };
        const created = [];
        for (const client of [local, wire]) created.push((await client.createPayment(request, callOf("create")))._unsafeUnwrap());
        expect(created[0]).toEqual(created[1]);
        const paymentId = created[0]?.paymentId ?? "";
        const moves = steps.map(([operation, asked, act, back, asking, later]): Move => {
          const reservation = { paymentId, amount: asked };
          const input = operation === "capturePayment" ? { ...reservation, authorisationId: "authorisation-1" } : reservation;
          const key = operation === "capturePayment" ? callOf(`capture-${act.key.length}`) : act;
          return { operation, input, call: operation === "voidAuthorisation" ? back : key, asks: asking, laterMs: later };
        });
        await expectAlike(ground, local as unknown as AnyClient, wire as unknown as AnyClient, moves);
        expect(gateways[0].held()).toEqual(gateways[1].held());
        expect(new Set(ground.applied).size).toBe(ground.applied.length);
        expect(new Set(ground.takenBack).size).toBe(ground.takenBack.length);
      },
    ),
    { numRuns: 200 },
  );
});
