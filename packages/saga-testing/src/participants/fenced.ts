/**
 * A participant's fence over a memory database, in the words of a step: for participants that are written by hand, with their state in plain objects. It decides as every
 * other fence of the library, because it is the same one.
 */

import {
  type ActAnswer,
  createFence,
  createMemoryDatabase,
  type Database,
  type ResolveAnswer,
  type UndoAnswer,
} from "@backstep/participant";
import type { Call, CompensationCall, Fault, Resolution } from "@backstep/saga-core";
import { decided, fault, type Json, type Tagged } from "@backstep/saga-core/adapter";
import { err, ok, type Result, ResultAsync } from "neverthrow";
import type { Site } from "./site.ts";

/** Longer than any run lasts in virtual time. */
const RETENTION_MS = 10 * 365 * 86_400_000;

export interface FencedOptions {
  /** Shared with other fences; default: one of its own. */
  readonly database?: Database | undefined;
}

export interface Fenced {
  /**
   * Does something at most once per key. `business` decides and changes the participant's state in one go, synchronously; where it answers `err` it must have changed
   * nothing. A repetition is answered from the record, before `business` is asked. A rejection is recorded like a success, and told as decided for the key.
   */
  act<Output, Rejection extends Tagged = never>(
    call: Call,
    input: unknown,
    business: () => Result<Output, Rejection>,
  ): ResultAsync<Output, Rejection | Fault>;
  /**
   * Takes it back at most once, whether it came, is under way, or is still to come: afterwards the action finds its key sealed. `business` runs only when there is
   * something to take back, and is given what the action had answered.
   */
  undo(call: CompensationCall, input: unknown, business: (undone: Json | undefined) => void): ResultAsync<undefined, Fault>;
  /** Says what became of a key, and seals it where nothing did. */
  resolve<Output, Rejection extends Tagged>(call: Call): ResultAsync<Resolution<Output, Rejection>, Fault>;
  /** What is decided for each key, for telling states apart: `sealed`, `undone`, or the recorded answer. */
  decisions(): readonly (readonly [key: string, decision: string])[];
}

/** @param name - The participant's. A key belongs to one participant. */
export function fenced(site: Site, name: string, { database = createMemoryDatabase({ now: site.now }) }: FencedOptions = {}): Fenced {
  const fence = createFence({ database, retentionMs: RETENTION_MS });
  const decisions = new Map<string, string>();

  async function act(call: Call, input: unknown, business: () => Result<unknown, Tagged>): Promise<Result<unknown, Tagged>> {
    let applied = false;
    const answer = await fence.act({ ...named(call), input }, async () => {
      const result = business();
      applied = result.isOk();
      return result;
    });
    // Told once it is committed: what is rolled back had no effect.
    if (applied && answer._tag === "Executed") site.effects.applied(call.key);
    note(call.key, answer);
    return readAct(answer);
  }

  async function undo(
    call: CompensationCall,
    input: unknown,
    business: (undone: Json | undefined) => void,
  ): Promise<Result<undefined, Fault>> {
    const { key, issuedAt, known } = call.undoes;
    let takenBack = false;
    const operation = { ...named(call), name: `${name}.undo`, input, undoes: { key, issuedAt, known, name } };
    const answer = await fence.undo(operation, async ({ undone }) => {
      business(undone as Json | undefined);
      takenBack = true;
    });
    if (takenBack && answer._tag === "Executed") site.effects.takenBack(key);
    if (isDecided(answer)) {
      decisions.set(call.key, "undone");
      decisions.set(key, "sealed");
    }
    return isDecided(answer) ? ok(undefined) : err(faultOf(answer));
  }

  function named({ key, sagaId, issuedAt }: Call) {
    return { key, sagaId, issuedAt, name };
  }

  function note(key: string, answer: ActAnswer | ResolveAnswer): void {
    if (answer._tag === "Sealed") decisions.set(key, "sealed");
    else if (isDecided(answer) && "json" in answer.decision) decisions.set(key, `${answer.decision._tag} ${answer.decision.json}`);
  }

  return {
    act: (call, input, business) => new ResultAsync(act(call, input, business)) as ReturnType<Fenced["act"]> as never,
    undo: (call, input, business) => new ResultAsync(undo(call, input, business)),
    resolve: (call) =>
      new ResultAsync(
        fence.resolve(named(call)).then((answer) => {
          note(call.key, answer);
          return readResolve(answer);
        }),
      ) as never,
    decisions: () => [...decisions].sort(([left], [right]) => (left < right ? -1 : 1)),
  };
}

function isDecided<Answer extends { readonly _tag: string }>(
  answer: Answer,
): answer is Extract<Answer, { readonly _tag: "Executed" | "Replayed" }> {
  return answer._tag === "Executed" || answer._tag === "Replayed";
}

function readAct(answer: ActAnswer): Result<unknown, Tagged> {
  if (!isDecided(answer)) return err(faultOf(answer));
  const { decision } = answer;
  return decision._tag === "Succeeded" ? ok(valueOf(decision.json)) : err(decided(valueOf(decision.json) as unknown as Tagged));
}

function readResolve(answer: ResolveAnswer): Result<Resolution<unknown, unknown>, Fault> {
  if (answer._tag === "Sealed") return ok({ _tag: "SealedForGood" });
  if (!isDecided(answer)) return err(faultOf(answer));
  const { decision } = answer;
  if (decision._tag === "Succeeded") return ok({ _tag: "Applied", output: valueOf(decision.json) });
  return decision._tag === "Rejected" ? ok({ _tag: "NotApplied", error: valueOf(decision.json) }) : ok({ _tag: "StillUnknown" });
}

/** A fence writes nothing as `null`, which is how JSON says it. */
function valueOf(json: string): Json | undefined {
  return json === "null" ? undefined : (JSON.parse(json) as Json);
}

function faultOf({ _tag }: Exclude<ActAnswer | UndoAnswer | ResolveAnswer, { readonly _tag: "Executed" | "Replayed" }>): Fault {
  return fault(_tag === "Expired" ? "EvidenceLost" : _tag, `the fence answers ${_tag}`);
}
