/**
 * What lies between orchestrator and participants: every call passes here, and its fate is decided here. Requests that are under way arrive though their sender is dead;
 * what a participant did is observed where it answers, so that nothing rests on what the caller learned.
 */
import { type Answer, type FaultTag, fault, type Resolution, type Sending, type Tagged, type Transport } from "@backstep/saga-core";
import { canonicalJson, isDecided, isFault } from "@backstep/saga-core/adapter";
import { err, type Result } from "neverthrow";
import { answerBody } from "../oracles/answer-body.ts";
import type { Called, Happening, Told } from "../oracles/history.ts";
import type { Choices, Point } from "../schedule/choices.ts";
import { type CallFault, callFaults } from "../schedule/fault.ts";
import type { Ledger } from "./ledger.ts";
import type { Process } from "./process.ts";
import type { VirtualClock } from "./virtual-clock.ts";

export interface NetworkPorts {
  readonly clock: VirtualClock;
  readonly choices: Choices;
  readonly ledger: Ledger;
  readonly record: (sagaId: string, happening: Happening) => void;
  /** Tells of a fault as it strikes, for a report. */
  readonly strike: (sagaId: string, fault: CallFault) => void;
  /** Milliseconds that a message is on its way. */
  readonly delayMs: () => number;
  readonly takeOver: (from: Process) => void;
}

type Send = () => Answer<Tagged>;
type Seen = Result<unknown, Tagged>;
type Slot = Called["slot"];

const IN_PROGRESS_MS = 10;
/** Long after the next process has repeated it. */
const IN_FLIGHT_MS = 60_000;
const BUSY_MS = 20;

interface Message {
  readonly sagaId: string;
  readonly call: number;
  readonly key: string;
  readonly slot: Slot;
  readonly sending: Sending;
  readonly send: Send;
}

export class Network {
  readonly #ports: NetworkPorts;
  #calls = 0;
  readonly #attempts = new Map<string, number>();
  readonly #open = new Set<string>();
  /** Faults that last over all attempts of an operation, by key. */
  readonly #lasting = new Map<string, CallFault>();
  /** Requests that arrive once the operation is undone, or else when the saga is over. */
  readonly #late = new Map<string, Message>();
  readonly #repeats: Message[] = [];
  /** With what each is about. */
  readonly #underWay = new Map<Promise<unknown>, string>();
  /** What participants last said of each operation: what their fences hold, as far as anybody can tell from outside. */
  readonly #decided = new Map<string, unknown>();
  readonly #timer;

  constructor(ports: NetworkPorts) {
    this.#ports = ports;
    this.#timer = ports.clock.timer();
  }

  transportOf(process: Process): Transport {
    return (sending, send) => this.#carry(process, sending, send);
  }

  /** All that is still under way arrives. */
  async drain(): Promise<void> {
    for (const message of [...this.#late.values(), ...this.#repeats.splice(0)]) this.#inBackground(message, this.#deliver(message));
    this.#late.clear();
    while (this.#underWay.size > 0) await Promise.all(this.#underWay.keys());
  }

  /** Faults that last are over. */
  heal(): void {
    this.#lasting.clear();
  }

  /** What is under way, for telling states apart: requests that arrive late, answers that nobody waits for, and calls without an answer yet, with their attempts. */
  underWay(): readonly unknown[] {
    const open = [...this.#open].map((id) => `${id} ${this.#attempts.get(id)}`);
    const late = [...this.#late.keys()];
    return [late, this.#repeats.map(({ key }) => key), [...this.#underWay.values()].sort(), [...this.#lasting], open, [...this.#decided]];
  }

  async #carry(process: Process, sending: Sending, send: Send): Promise<Seen> {
    const { call, asks, slot: operation, path, input, undoes } = sending;
    this.#calls += 1;
    const slot: Slot = asks ? "ask" : operation;
    const message: Message = { sagaId: call.sagaId, call: this.#calls, key: call.key, slot, sending, send };
    const id = `${slot} ${call.key}`;
    const attempt = (this.#attempts.get(id) ?? 0) + 1;
    this.#attempts.set(id, attempt);
    this.#ports.record(call.sagaId, {
      _tag: "Called",
      call: message.call,
      life: process.life,
      slot,
      key: call.key,
      place: path,
      input: canonicalJson(input),
      issuedAt: call.issuedAt,
      undoes: undoes === undefined ? undefined : { key: undoes.key, known: undoes.known },
    });
    this.#open.add(id);
    const seen = await this.#fate(process, message, attempt);
    // What is to be tried again stays open: how often it was tried is part of what follows.
    if (isResult(seen) && seen.isOk()) this.#open.delete(id);
    if (process.alive) this.#ports.record(call.sagaId, { _tag: "Answered", call: message.call, told: toldOf(seen, slot) });
    return seen;
  }

  async #fate(process: Process, message: Message, attempt: number): Promise<Seen> {
    const { choices } = this.#ports;
    const { sending, key } = message;
    const lasting = sending.asks ? undefined : this.#lasting.get(key);
    if (lasting !== undefined) return this.#last(lasting, message);
    const chosen = choices.at(pointOf(sending, attempt, process.current)) as CallFault | undefined;
    if (chosen === undefined) return this.#transmit(message);
    this.#ports.strike(message.sagaId, chosen);
    return this.#disturb(chosen, process, message);
  }

  async #disturb(chosen: CallFault, process: Process, message: Message): Promise<Seen> {
    switch (chosen) {
      case "refuse-connection":
        return err(fault("NotSent", "the connection was refused"));
      case "lose-request":
        return lost();
      case "lose-answer":
        await this.#deliver(message);
        return lost();
      case "lose-every-answer":
      case "arrive-late":
        this.#lasting.set(message.key, chosen);
        return this.#last(chosen, message);
      case "repeat-now": {
        const [answer] = await Promise.all([this.#deliver(message), this.#deliver(message)]);
        return answer;
      }
      case "repeat-late":
        this.#repeats.push(message);
        return this.#deliver(message);
      case "garble": {
        const answer = await this.#deliver(message);
        return answer.isOk() ? err(fault("Unreadable", "the answer was cut off")) : answer;
      }
      case "throttle":
        return err(fault("Throttled", "come later", { retryAfterMs: BUSY_MS }));
      case "in-progress":
        this.#inBackground(
          message,
          this.#timer.sleep(IN_PROGRESS_MS).then(() => this.#deliver(message)),
        );
        return err(fault("Running", "still at work", { retryAfterMs: 2 * IN_PROGRESS_MS }));
      case "refuse-for-good":
        return err(fault("Faulted", "never like this"));
      case "die-in-flight":
        this.#inBackground(
          message,
          this.#timer.sleep(IN_FLIGHT_MS).then(() => this.#deliver(message)),
        );
        process.die();
        return lost();
      case "take-over-in-flight":
        this.#ports.takeOver(process);
        return this.#deliver(message);
    }
  }

  async #last(lasting: CallFault, message: Message): Promise<Seen> {
    if (lasting === "lose-every-answer") await this.#deliver(message);
    else if (!this.#late.has(message.key)) this.#late.set(message.key, message);
    return lost();
  }

  async #transmit(message: Message): Promise<Seen> {
    const { delayMs } = this.#ports;
    const [thereMs, backMs] = [delayMs(), delayMs()];
    if (thereMs > 0) await this.#timer.sleep(thereMs);
    const answer = await this.#deliver(message);
    if (backMs > 0) await this.#timer.sleep(backMs);
    return answer;
  }

  /** The request reaches the participant, and whatever it does is done. */
  async #deliver(message: Message): Promise<Seen> {
    const { sagaId, call, key, slot, sending, send } = message;
    const { ledger, record } = this.#ports;
    let seen: Seen;
    try {
      seen = await send();
    } catch {
      seen = err(fault("Unknown", "the participant threw"));
    }
    if (slot !== "ask" && sending.kind !== "readOnly" && isResult(seen) && seen.isOk()) {
      if (slot === "action") ledger.answeredApplied(key);
      else if (sending.undoes !== undefined) ledger.answeredUndone(sending.undoes.key);
    }
    const body = isResult(seen) ? answerBody(seen) : "NoResult";
    if (isResult(seen)) this.#decided.set(`${slot} ${key}`, seen.isOk() ? ["ok", seen.value] : seen.error);
    if (sending.kind !== "readOnly") record(sagaId, { _tag: "Delivered", call, key, slot, body });
    if (slot === "compensation" && sending.undoes !== undefined) await this.#arriveAfterUndo(sending.undoes.key);
    return seen;
  }

  async #arriveAfterUndo(key: string): Promise<void> {
    const late = this.#late.get(key);
    this.#late.delete(key);
    if (late !== undefined) await this.#deliver(late);
  }

  #inBackground({ slot, key }: Message, work: Promise<unknown>): void {
    const tracked: Promise<unknown> = work.finally(() => this.#underWay.delete(tracked));
    this.#underWay.set(tracked, `${slot} ${key}`);
  }
}

function pointOf(sending: Sending, attempt: number, current: boolean): Point {
  const { asks, slot, step, kind, path, call } = sending;
  const named = asks ? `query about ${step}` : slot === "action" ? step : `undo of ${step}`;
  const place = { _tag: "Call", sagaId: call.sagaId, path, kind, slot, asks, attempt, parallel: PARALLEL.test(path) } as const;
  return { label: `${named} #${attempt}`, place, choices: callFaults(sending, current), decides: false };
}

/** A segment of a path that an `all` makes. */
const PARALLEL = /(^|\/)all(~\d+)?\//;

function lost(): Seen {
  return err(fault("Unknown", "the connection broke"));
}

function isResult(seen: unknown): seen is Seen {
  return typeof (seen as Partial<Seen> | undefined)?.isOk === "function";
}

const TOLD: Readonly<Partial<Record<FaultTag, Told>>> = {
  Unreadable: "Garbled",
  Sealed: "Sealed",
  NotSent: "NotSent",
  Throttled: "NotSent",
  Faulted: "Faulted",
};

function toldOf(seen: Seen, slot: Slot): Told {
  if (!isResult(seen)) return "Doubt";
  if (seen.isErr()) {
    const { error } = seen;
    if (isFault(error)) return slot === "ask" && error._tag !== "Sealed" ? "Doubt" : (TOLD[error._tag] ?? "Doubt");
    return isDecided(error) ? "Refused" : "TurnedAway";
  }
  if (slot !== "ask") return "Succeeded";
  const { _tag } = seen.value as Resolution<unknown, Tagged>;
  return _tag === "Applied" ? "Succeeded" : _tag === "NotApplied" ? "Refused" : _tag === "SealedForGood" ? "Sealed" : "Doubt";
}
