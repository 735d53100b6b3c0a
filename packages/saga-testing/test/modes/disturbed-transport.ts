/** The three modes in which the network is at fault. Deciding queries pass: they are no commands, and change nothing. */
import { type Fault, type FaultTag, fault, isFault, type Sending, type Transport } from "@backstep/saga-core";
import { err, type Result } from "neverthrow";
import type { Mode } from "./mode.ts";

type Send = Parameters<Transport>[1];
type Sent = ReturnType<Send>;

/** An instance belongs to one engine: it remembers what was sent. */
export function disturbedTransport(mode: Exclude<Mode, "crash-after-append">): Transport {
  switch (mode) {
    case "duplicate-commands":
      return duplicating;
    case "lose-first-answers":
      return losingFirstAnswers();
    case "undo-overtakes":
      return repeatingAfterUndo();
  }
}

const duplicating: Transport = (sending, send) => (isCommand(sending) ? twice(send) : send());

/** A copy that was turned away, or never arrived, had no effect; the command may have had one, so that answer would be a lie. */
const SAYS_NOTHING: ReadonlySet<unknown> = new Set<FaultTag>(["NotSent", "Throttled", "Faulted"]);

async function twice(send: Send): Promise<Awaited<Sent>> {
  const first = await Promise.allSettled([send()]);
  const second = await send();
  if (!isFault(errorOf(second)) || !SAYS_NOTHING.has((errorOf(second) as Fault)._tag)) return second;
  if (first[0].status === "rejected") throw first[0].reason;
  return first[0].value;
}

function losingFirstAnswers(): Transport {
  const heard = new Set<string>();
  return (sending, send) => {
    const key = sending.call.key;
    if (sending.asks || heard.has(key)) return send();
    heard.add(key);
    return delivered(send).then(() => lost());
  };
}

function repeatingAfterUndo(): Transport {
  /** The latest request of each action, by its key. */
  const requests = new Map<string, Send>();
  return (sending, send) => {
    if (!isCommand(sending)) return send();
    if (sending.slot === "action") requests.set(sending.call.key, send);
    const late = sending.undoes === undefined ? undefined : requests.get(sending.undoes.key);
    return late === undefined ? send() : undoneAndOvertaken(send, late);
  };
}

async function undoneAndOvertaken(undo: Send, late: Send): Promise<Awaited<Sent>> {
  const undone = await undo();
  if (isOk(undone)) await delivered(late);
  return undone;
}

function isCommand({ asks, kind }: Sending): boolean {
  return !asks && kind !== "readOnly";
}

/** The request arrives; whatever comes back is for nobody. */
async function delivered(send: Send): Promise<void> {
  try {
    await send();
  } catch {
    // A participant that throws has answered, too.
  }
}

function lost(): Result<never, Fault> {
  return err(fault("Unknown", "the answer was lost"));
}

/** Steps of tests answer what they like, also what is no `Result`. */
function isOk(answer: unknown): boolean {
  return isResult(answer) && answer.isOk();
}

function errorOf(answer: unknown): unknown {
  return isResult(answer) && answer.isErr() ? answer.error : undefined;
}

function isResult(answer: unknown): answer is Result<unknown, unknown> {
  return typeof (answer as Partial<Result<unknown, unknown>> | undefined)?.isOk === "function";
}
