/** A site that remembers what it was told, and calls as an engine would make them. */
import { type Call, type CompensationCall, type IdempotencyKey, idempotencyKey, isDecided, isFault } from "@backstep/saga-core/adapter";
import type { Result } from "neverthrow";
import type { Site } from "../../src/participants/site.ts";

export interface Ground extends Site {
  clock: number;
  readonly applied: string[];
  readonly takenBack: string[];
  readonly asked: (readonly [question: string, ...alternatives: string[]])[];
  /** What is chosen instead of the first, by question. */
  readonly will: Map<string, string>;
}

export const START = Date.UTC(2026, 2, 1);

export function openGround(): Ground {
  const ground: Ground = {
    clock: START,
    applied: [],
    takenBack: [],
    asked: [],
    will: new Map(),
    now: () => ground.clock,
    effects: {
      applied: (key) => void ground.applied.push(key),
      takenBack: (key) => void ground.takenBack.push(key),
    },
    choose(question, alternatives) {
      ground.asked.push([question, ...alternatives]);
      return ground.will.get(question) ?? alternatives[0] ?? "";
    },
  };
  return ground;
}

const NEVER = new AbortController().signal;

export function actionKey(path: string): IdempotencyKey {
  return idempotencyKey({ sagaId: "s1", path: `run/${path}`, slot: "action" });
}

export function callOf(path: string, issuedAt = START): Call {
  return { sagaId: "s1", key: actionKey(path), issuedAt, attempt: 1, timeoutMs: 1_000, signal: NEVER };
}

/** The call of the undo of what `callOf` of the same path calls. */
export function undoOf(path: string, known: "succeeded" | "inDoubt" = "inDoubt", issuedAt = START): CompensationCall {
  const key = idempotencyKey({ sagaId: "s1", path: `run/${path}`, slot: "compensation" });
  return { ...callOf(path, issuedAt), key, undoes: { key: actionKey(path), issuedAt, known } };
}

/** An answer, in a form that can be compared: whether a rejection is decided for the key is no part of its data. */
export function told(answer: Result<unknown, unknown>): unknown {
  return answer.match<unknown>(
    (output) => ["ok", output],
    (error) => {
      if (isFault(error)) return ["fault", error._tag, error.retryAfterMs];
      return ["rejected", error, isDecided(error as object) ? "decided" : "undecided"];
    },
  );
}
