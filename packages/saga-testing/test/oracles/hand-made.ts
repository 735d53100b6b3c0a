/** Histories made by hand: a machine is told facts, participants are said to be called and to answer, and nothing else happens. */
import type { AnySaga } from "@backstep/saga-core";
import { canonicalJson, idempotencyKey, type Slot } from "@backstep/saga-core/adapter";
import { createMachine, type Entry, encodeRecord, type Fact } from "@backstep/saga-core/engine";
import type { Answer, Called, Committed, Happening, History, Told } from "../../src/laws.ts";

type WithoutTime<Item> = Item extends unknown ? Omit<Item, "at"> : never;

interface Calling {
  readonly told?: Told;
  /** What the participant answers; none when the request does not reach it. */
  readonly body?: string | undefined;
  readonly applies?: boolean;
  readonly life?: number;
  readonly slot?: Called["slot"];
}

export class Chronicle {
  readonly sagaId: string;
  readonly happenings: Happening[] = [];
  readonly #machine;
  #at = 1_000;
  #calls = 0;
  #records = 0;

  constructor(saga: AnySaga, sagaId = "s") {
    this.sagaId = sagaId;
    this.#machine = createMachine(saga["~saga"], sagaId);
  }

  /** The machine is told a fact, and what it decides is committed. */
  fact(fact: WithoutTime<Fact>, life = 1): this {
    this.#at += 1;
    const { entries, status } = this.#machine.apply({ ...fact, at: this.#at });
    this.happenings.push({ ...committed(this.sagaId, entries, status), life, at: this.#at });
    this.happenings.push({ _tag: "Acknowledged", life, record: this.#records });
    this.#records += 1;
    return this;
  }

  start(): this {
    return this.fact({ _tag: "SagaStarted", input: 7, seed: "0".repeat(32) });
  }

  /** A participant is called, and by default does as it is asked. */
  call(path: string, { told = "Succeeded", body = "ok 1", applies = told === "Succeeded", life = 1, slot = "action" }: Calling = {}): this {
    this.#calls += 1;
    const call = this.#calls;
    const of: Slot = slot === "compensation" ? "compensation" : "action";
    const key = idempotencyKey({ sagaId: this.sagaId, path, slot: of });
    const action = idempotencyKey({ sagaId: this.sagaId, path, slot: "action" });
    const undoes = slot === "compensation" ? { key: action, known: "succeeded" as const } : undefined;
    this.happenings.push({ _tag: "Called", call, life, slot, key, place: path, input: "7", issuedAt: 1_001, undoes });
    if (applies && slot !== "ask") this.happenings.push(slot === "action" ? { _tag: "Applied", key } : { _tag: "TakenBack", key: action });
    if (body !== "") this.happenings.push({ _tag: "Delivered", call, key, slot, body });
    this.happenings.push({ _tag: "Answered", call, told });
    return this;
  }

  settled(path: string, slot: Slot = "action", output = 1): this {
    return this.fact({ _tag: "OperationSettled", path, slot, outcome: { _tag: "Succeeded", output }, attempts: 1 });
  }

  refused(path: string): this {
    const cause = { _tag: "RejectedCause", error: { _tag: "Full" } } as const;
    return this.fact({ _tag: "OperationSettled", path, slot: "action", outcome: { _tag: "NoEffect", cause }, attempts: 1 });
  }

  /** Calls and settles. */
  done(path: string, slot: Slot = "action"): this {
    return this.call(path, { slot }).settled(path, slot);
  }

  history(answer: Answer): History {
    return { sagaId: this.sagaId, happenings: this.happenings, answer, answerLater: answer, repeated: false };
  }
}

/** A record as a store would keep it. */
export function committed(sagaId: string, entries: readonly Entry[], status: Committed["status"]): Committed {
  const outbox = entries.flatMap((entry) =>
    entry._tag === "EventEmitted"
      ? [
          {
            id: `${sagaId}/${entry.path}`,
            type: entry.type,
            source: "/sagas/hand-made",
            time: new Date(entry.at).toISOString(),
            sagaId,
            data: canonicalJson(entry.data ?? null),
          },
        ]
      : [],
  );
  return { _tag: "Committed", life: 1, record: encodeRecord(entries)._unsafeUnwrap(), entries, status, outbox, at: entries[0]?.at ?? 0 };
}
