/**
 * The other side of every call: participants that do as their script says, behind the real fence over its memory database, and a log of what they saw.
 * A world outlives the processes that call it; requests that are under way arrive though their sender is dead.
 */
import { createFence, createMemoryDatabase, type Fence } from "@backstep/participant";
import { answerBody, type Called, type Happening, type Told } from "@backstep/saga-testing/laws";
import { err, ok } from "neverthrow";
import type { Call, CompensationContext } from "../../src/index.ts";
import { type Fault, type FaultTag, fault, type Resolution } from "../../src/index.ts";
import { canonicalJson } from "../../src/primitives/json.ts";
import type { VirtualTimer } from "../virtual-timer.ts";
import { type Answered, readAct, readResolve, readUndo } from "./fence-answers.ts";
import type { Order, Participants, Receipt, Refusal } from "./planned-steps.ts";
import type { Behaviour } from "./script.ts";

/** Longer than anything lasts here, so that no evidence goes by age. */
const RETENTION_MS = 365 * 86_400_000;

/** Decides at the participant, with its fence, and says what a caller would be told. */
type Arrive = (says: "yes" | "no") => Promise<Answered>;

export interface WorldOptions {
  readonly timer: VirtualTimer;
  readonly record: (happening: Happening) => void;
  /** Called before anything comes of a call. */
  readonly onCall: () => void;
}

export class World {
  readonly #options: WorldOptions;
  readonly #fence: Fence;
  #calls = 0;
  readonly #attempts = new Map<string, number>();
  readonly #applied = new Set<string>();
  readonly #takenBack = new Set<string>();

  constructor(options: WorldOptions) {
    this.#options = options;
    this.#fence = createFence({ database: createMemoryDatabase({ now: options.timer.now }), retentionMs: RETENTION_MS });
  }

  /** Whether the effect of an action took place, and whether it was taken back: what an operator finds out by looking. */
  applied(key: string): boolean {
    return this.#applied.has(key);
  }

  takenBack(key: string): boolean {
    return this.#takenBack.has(key);
  }

  /** The participants as one process reaches them. */
  seenBy(life: number): Participants {
    const reach = (slot: Called["slot"], order: Order, call: Call, behaviours: readonly Behaviour[], arrive: Arrive) =>
      this.#reach({ life, slot, order, call, behaviours, arrive });
    return {
      act: (step, order, call) =>
        reach("action", order, call, order.script.attempts, (says) => this.#act(step, order, call, says)) as never,
      read: (_step, order, call) => reach("action", order, call, order.script.attempts, async (says) => receiptOrNo(order, says)) as never,
      undo: (step, order, context) =>
        reach("compensation", order, context.call, order.script.undos, () => this.#undo(step, order, context)) as never,
      ask: (step, order, call) => reach("ask", order, call, order.script.asks, () => this.#ask(step, call)) as never,
    };
  }

  async #reach({ life, slot, order, call, behaviours, arrive }: Reached): Promise<unknown> {
    const { record, timer } = this.#options;
    this.#calls += 1;
    const number = this.#calls;
    const { key, issuedAt } = call;
    const undoes = "undoes" in call ? (call as CompensationContext<unknown>["call"]).undoes : undefined;
    record({ _tag: "Called", call: number, life, slot, key, place: order.place, input: canonicalJson(order as never), issuedAt, undoes });
    this.#options.onCall();
    const behaviour = behaviours[this.#next(`${slot} ${key}`)] ?? { _tag: "Answers", says: order.script.then, afterMs: 0, told: "answer" };
    const deliver: Arrive = async (says) => {
      const answer = await arrive(says);
      record({ _tag: "Delivered", call: number, key, slot, body: answerBody(answer) });
      return answer;
    };
    const told = await follow(behaviour, deliver, timer);
    if (told !== "silence") record({ _tag: "Answered", call: number, told: toldOf(told, slot) });
    if (told === "silence") return new Promise(() => undefined);
    if (told === "exception") throw new Error("the client broke");
    return told === "nonsense" ? undefined : told;
  }

  #next(id: string): number {
    const index = this.#attempts.get(id) ?? 0;
    this.#attempts.set(id, index + 1);
    return index;
  }

  async #act(name: string, order: Order, { key, sagaId, issuedAt }: Call, says: "yes" | "no"): Promise<Answered> {
    const answer = await this.#fence.act({ key, name, sagaId, issuedAt, input: order }, async () => {
      if (says === "no") return err({ _tag: "Refused" } as const);
      this.#applied.add(key);
      this.#options.record({ _tag: "Applied", key });
      return ok(receiptOf(order));
    });
    return readAct(answer);
  }

  async #undo(name: string, order: Order, { call }: CompensationContext<Receipt>): Promise<Answered> {
    const { key, sagaId, issuedAt, undoes } = call;
    const undo = { key, name: `${name}.undo`, sagaId, issuedAt, input: order, undoes: { ...undoes, name } };
    const answer = await this.#fence.undo(undo, async () => {
      this.#takenBack.add(undoes.key);
      this.#options.record({ _tag: "TakenBack", key: undoes.key });
    });
    return readUndo(answer);
  }

  async #ask(name: string, { key, sagaId, issuedAt }: Call): Promise<Answered> {
    return readResolve(await this.#fence.resolve({ key, name, sagaId, issuedAt }));
  }
}

interface Reached {
  readonly life: number;
  readonly slot: Called["slot"];
  readonly order: Order;
  readonly call: Call;
  readonly behaviours: readonly Behaviour[];
  readonly arrive: Arrive;
}

type Seen = Answered | "silence" | "exception" | "nonsense";

async function follow(behaviour: Behaviour, arrive: Arrive, timer: VirtualTimer): Promise<Seen> {
  if (behaviour._tag === "TurnsAway") return turnedAway(behaviour.told);
  if (behaviour._tag === "Loses") return lost(behaviour.told);
  const { says, afterMs } = behaviour;
  if (behaviour._tag === "Lags") {
    void timer.sleep(afterMs).then(() => arrive(says));
    return lost(behaviour.told);
  }
  if (afterMs > 0) await timer.sleep(afterMs);
  const answer = await arrive(says);
  if (behaviour.againAfterMs !== undefined) void timer.sleep(behaviour.againAfterMs).then(() => arrive(says));
  if (behaviour.told === "answer") return answer;
  if (behaviour.told === "garbled") return answer.isOk() ? err(fault("Unreadable", "cut off")) : answer;
  return lost(behaviour.told);
}

function lost(told: "running" | "unknown" | "silence" | "exception" | "nonsense"): Seen {
  if (told === "running") return err(fault("Running", "in flight", { retryAfterMs: 15 }));
  return told === "unknown" ? err(fault("Unknown", "the connection broke")) : told;
}

const TURNED_AWAY: Readonly<Record<Extract<Behaviour, { _tag: "TurnsAway" }>["told"], Fault | Refusal>> = {
  notSent: fault("NotSent", "no connection"),
  throttled: fault("Throttled", "later", { retryAfterMs: 25 }),
  throttledForLong: fault("Throttled", "much later", { retryAfterMs: 5_000 }),
  faulted: fault("Faulted", "never"),
  sorry: { _tag: "Sorry" },
  keyReused: fault("KeyReused", "another payload"),
  evidenceLost: fault("EvidenceLost", "forgotten"),
};

function turnedAway(told: keyof typeof TURNED_AWAY): Answered {
  return err(TURNED_AWAY[told]);
}

const TOLD: Readonly<Partial<Record<FaultTag | Refusal["_tag"], Told>>> = {
  Unreadable: "Garbled",
  Refused: "Refused",
  Sorry: "TurnedAway",
  Sealed: "Sealed",
  NotSent: "NotSent",
  Throttled: "NotSent",
  Faulted: "Faulted",
};

function toldOf(seen: Exclude<Seen, "silence">, slot: Called["slot"]): Told {
  if (typeof seen === "string") return "Doubt";
  if (slot === "ask" && seen.isErr()) return seen.error._tag === "Sealed" ? "Sealed" : "Doubt";
  if (seen.isErr()) return TOLD[seen.error._tag] ?? "Doubt";
  if (slot !== "ask") return "Succeeded";
  const { _tag } = seen.value as Resolution<Receipt, Refusal>;
  return _tag === "Applied" ? "Succeeded" : _tag === "NotApplied" ? "Refused" : _tag === "SealedForGood" ? "Sealed" : "Doubt";
}

/** What a participant answers to an order, and what an operator who looks finds there. */
export function receiptOf({ place }: Pick<Order, "place">): Receipt {
  return { place, number: [...place].reduce((sum, letter) => (sum * 31 + (letter.codePointAt(0) ?? 0)) % 9_973, 7) };
}

function receiptOrNo(order: Order, says: "yes" | "no"): Answered {
  return says === "yes" ? ok(receiptOf(order)) : err({ _tag: "Refused" });
}
