/**
 * A contract whose command has its effect in somebody else's system: parcels that a courier takes along. The courier keeps keys as a good foreign system does, its
 * line can lose a request or an answer, and it can be asked.
 */
import { type AnyService, command, contract, foreign, id, query, rejection, type Service, undo } from "@backstep/contract";
import { type ContractServer, createServer } from "@backstep/http-adapter/server";
import { createFence, createMemoryDatabase, type Database, type ForeignVerdict, type Table, type Transaction } from "@backstep/participant";
import { createSqliteDatabase } from "@backstep/participant/sqlite";
import { err, ok } from "neverthrow";
import { z } from "zod";
import { openApi } from "./open-api-reader.ts";
import { RETENTION_MS, type Received, type Sent, type Storage, send } from "./rig.ts";

const parcel = z.strictObject({ parcelId: id, grams: z.int().min(1) });
const tooHeavy = rejection("TooHeavy", { gramsMax: z.int() }, { status: 409 });
const parcelGone = rejection("ParcelGone", { parcelId: id }, { status: 409 });

export const courier = contract({
  name: "courier",
  operations: {
    sendParcel: command({
      summary: "Gives a parcel to the courier.",
      path: "/parcels",
      input: parcel,
      output: z.strictObject({ trackingId: z.string() }),
      rejections: [tooHeavy, parcelGone],
    }),
    recallParcel: undo({ summary: "Calls it back.", path: "/parcels/recalls", undoes: "sendParcel", input: parcel }),
    findParcel: query({
      summary: "Tells where a parcel is.",
      path: "/parcels/{parcelId}",
      input: parcel.pick({ parcelId: true }),
      output: z.strictObject({ where: z.enum(["here", "leaving", "away"]) }),
      rejections: [],
    }),
  },
});

type Operations = (typeof courier)["operations"];
export type CourierService = Service<typeof courier, Transaction, "sendParcel">;
type Verdict = ForeignVerdict<z.output<Operations["sendParcel"]["output"]>, { readonly _tag: "TooHeavy"; readonly gramsMax: number }>;

const place = z.strictObject({ parcelId: id, where: z.enum(["leaving", "away"]) });

type Place = z.output<typeof place>;

const placeTable: Table<Place> = {
  name: "courier_parcels",
  key: ({ parcelId }) => parcelId,
  decode: (document) => place.parse(document),
};

const GRAMS_MAX = 1_000;

/** The foreign system. */
export class Courier {
  /** What is away, by the key that sent it. */
  readonly away = new Map<string, string>();
  readonly calls: string[] = [];
  /** What becomes of the next request. */
  lose: "request" | "answer" | undefined;
  /** What it says instead of the truth. */
  lie: unknown;
  readonly #known = new Map<string, Verdict>();

  async take(key: string, parcelId: string, grams: number): Promise<Verdict> {
    this.calls.push(`take ${key}`);
    const lose = this.lose;
    this.lose = undefined;
    if (lose === "request") throw new TypeError("the courier was not reached");
    const verdict = this.#known.get(key) ?? this.#decide(key, parcelId, grams);
    this.#known.set(key, verdict);
    if (lose === "answer") throw new TypeError("the courier's answer was lost");
    return (this.lie ?? verdict) as Verdict;
  }

  async ask(key: string): Promise<Verdict> {
    this.calls.push(`ask ${key}`);
    const verdict = this.#known.get(key) ?? { _tag: "Sealed" };
    this.#known.set(key, verdict);
    return (this.lie ?? verdict) as Verdict;
  }

  async recall(trackingId: string): Promise<void> {
    this.calls.push(`recall ${trackingId}`);
    for (const [key, parcelId] of this.away) if (`track-${parcelId}` === trackingId) this.away.delete(key);
  }

  #decide(key: string, parcelId: string, grams: number): Verdict {
    if (grams > GRAMS_MAX) return { _tag: "Rejected", rejection: { _tag: "TooHeavy", gramsMax: GRAMS_MAX } };
    this.away.set(key, parcelId);
    return { _tag: "Succeeded", output: { trackingId: `track-${parcelId}` } };
  }
}

export function createCourierService(outside: Courier): CourierService {
  const sendParcel: CourierService["sendParcel"] = foreign(({ parcelId, grams }) => ({
    async prepare({ transaction }) {
      const leaving: Place = { parcelId, where: "leaving" };
      const inserted = await transaction.insert(placeTable, leaving);
      return inserted ? ok() : err({ _tag: "ParcelGone", parcelId });
    },
    async effect({ key }) {
      const verdict = await outside.take(key, parcelId, grams);
      if (verdict._tag === "Succeeded") return ok(verdict.output);
      if (verdict._tag === "Rejected") return err(verdict.rejection);
      throw new TypeError("the courier refuses the key");
    },
    query: ({ key }) => outside.ask(key),
    async conclude({ transaction }, { _tag }) {
      const away: Place = { parcelId, where: "away" };
      if (_tag === "Succeeded") await transaction.put(placeTable, away);
      else await transaction.remove(placeTable, parcelId);
    },
  }));
  return {
    sendParcel,
    recallParcel: foreign((input) => ({
      action: sendParcel.partsFor(input),
      effect: ({ undone }) => outside.recall(undone.trackingId),
      conclude: ({ transaction }) => transaction.remove(placeTable, input.parcelId),
    })),
    async findParcel({ transaction }, { parcelId }) {
      return ok({ where: (await transaction.get(placeTable, parcelId))?.where ?? "here" });
    },
  };
}

export interface CourierRig {
  readonly outside: Courier;
  readonly errors: unknown[];
  readonly clock: { now: number };
  readonly server: ContractServer;
  send(method: string, target: string, sent?: Sent): Promise<Received>;
  close(): Promise<void>;
}

export const LEASE_MS = 30_000;

export async function openCourier(
  storage: Storage,
  change: (service: CourierService) => object = (service) => service,
): Promise<CourierRig> {
  const clock = { now: Date.parse("2026-03-01T00:00:00Z") };
  const now = (): number => clock.now;
  const database: Database = storage === "memory" ? createMemoryDatabase({ now }) : createSqliteDatabase({ path: ":memory:", now });
  const outside = new Courier();
  const errors: unknown[] = [];
  const server = createServer({
    contract: courier,
    service: change(createCourierService(outside)) as AnyService<typeof courier, Transaction>,
    database,
    fence: createFence({ database, retentionMs: RETENTION_MS, runningLeaseMs: LEASE_MS }),
    onError: (error) => errors.push(error),
  });
  const document = openApi.parse(await (await server.fetch(new Request("http://courier.example/openapi.json"))).json());
  return {
    outside,
    errors,
    clock,
    server,
    send: (method, target, sent) => send((request) => server.fetch(request), document, method, target, sent),
    close: () => database.close(),
  };
}
