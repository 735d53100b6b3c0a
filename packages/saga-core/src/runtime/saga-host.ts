/**
 * The sagas in this process's memory: which there are, how they come in (a start, an adoption) and go out (rest, loss). Owns nothing of what a saga does;
 * a saga is either live here, in exactly one instance, or only in the journal.
 */
import { err, ok, type Result } from "neverthrow";
import { match } from "ts-pattern";
import type { SagaDefinition } from "../definition/saga-definition.ts";
import { createMachine } from "../engine/machine.ts";
import type { Quarantine } from "../errors/parked.ts";
import type { SagaIdConflict, SagaUnavailable } from "../errors/saga-error.ts";
import type { UndoneSaga } from "../journal/entry.ts";
import type { AppendError, StoredJournal } from "../journal/journal-store.ts";
import { hash128 } from "../primitives/hash.ts";
import { canonicalJson, type Json } from "../primitives/json.ts";
import { adopt } from "./adoption.ts";
import { type InstanceEnd, type InstancePorts, SagaInstance } from "./instance.ts";
import type { SagaLeft } from "./observer.ts";
import type { Registry } from "./registry.ts";
import { WakeUps } from "./wake-ups.ts";

/** How long the store is left alone after it failed, in milliseconds. */
const STORE_RETRY_MS = 500;
const RECOVERY_PAGE_SAGAS = 100;
const RECOVERY_CONCURRENCY = 32;

export interface Recovery {
  /** Unfinished sagas found in the store when the engine was created, and taken up. */
  readonly adopted: number;
  readonly quarantined: number;
}

export type Present =
  | { readonly _tag: "Live"; readonly instance: SagaInstance }
  | { readonly _tag: "Quarantined"; readonly quarantine: Quarantine }
  | { readonly _tag: "NoSuchSaga" };

export interface PresentOptions {
  /** Adopt it however often it was adopted in vain. */
  readonly force?: boolean | undefined;
  /** Keep the instance in memory, though the saga be parked, until `release` is called on it. */
  readonly hold?: boolean | undefined;
}

export interface Beginning {
  readonly deadlineMs?: number | undefined;
  /** The saga that the new one takes back. */
  readonly undoes?: UndoneSaga | undefined;
}

/** `exists`: a saga of this id is in the store already; whoever begun it, this engine did not. */
type Start = "begun" | "exists";

interface Live {
  readonly instance: SagaInstance;
  readonly definition: SagaDefinition;
  readonly input: string;
  /** Settles once the start is durable, here or by somebody else's hand, or never will be. */
  readonly started: Promise<Result<Start, SagaUnavailable>>;
}

export class SagaHost {
  readonly ports: InstancePorts;
  readonly #registry: Registry;
  readonly #live = new Map<string, Live>();
  readonly #adopting = new Map<string, Promise<Result<Present, SagaUnavailable>>>();
  readonly #quarantined = new Map<string, Quarantine>();
  readonly #wakeUps: WakeUps;
  /** Called when a saga comes into memory, or the engine closes. */
  readonly #watchers = new Map<string, Set<() => void>>();
  #closed = false;

  constructor(ports: Omit<InstancePorts, "onLetGo">, registry: Registry) {
    this.ports = { ...ports, onLetGo: () => this.lookForDue() };
    this.#registry = registry;
    this.#wakeUps = new WakeUps({
      ...ports,
      asleep: (sagaId) => !this.#live.has(sagaId) && !this.#quarantined.has(sagaId),
      nudge: (sagaId) => this.#live.get(sagaId)?.instance.nudge(),
      wake: async (sagaId) => {
        const present = await this.present(sagaId);
        return present.isOk();
      },
    });
  }

  /** Wakes sagas when their time comes, until the engine is closed. */
  wakeSleepers(): void {
    void this.#wakeUps.run();
  }

  /** Something outside the sagas in memory may have made others due. */
  lookForDue(): void {
    this.#wakeUps.note(this.ports.now());
  }

  /** Calls `listener` once the saga is in memory here, or the engine is closed; the function it hands back takes that back. */
  watch(sagaId: string, listener: () => void): () => void {
    const watchers = this.#watchers.get(sagaId) ?? new Set();
    this.#watchers.set(sagaId, watchers.add(listener));
    return () => {
      watchers.delete(listener);
      if (watchers.size === 0) this.#watchers.delete(sagaId);
    };
  }

  get closed(): boolean {
    return this.#closed;
  }

  definition(saga: StoredJournal["saga"]): SagaDefinition | undefined {
    return this.#registry.get(saga);
  }

  live(sagaId: string): SagaInstance | undefined {
    return this.#live.get(sagaId)?.instance;
  }

  /** Sagas that cannot be driven, as far as this engine met them. */
  get quarantined(): ReadonlyMap<string, Quarantine> {
    return this.#quarantined;
  }

  quarantine(sagaId: string): Quarantine | undefined {
    return this.#quarantined.get(sagaId);
  }

  /** It was ended without being driven. */
  forgetQuarantine(sagaId: string): void {
    this.#quarantined.delete(sagaId);
  }

  /**
   * Puts a new saga in place and journals its start. `"exists"`: a saga of this id is in the store already; compare and join it.
   * The place is taken before the append, so that a second start of the same id in this process waits for the first one's verdict.
   */
  async begin(
    definition: SagaDefinition,
    sagaId: string,
    input: Json | undefined,
    { deadlineMs, undoes }: Beginning = {},
  ): Promise<Result<Start, SagaUnavailable | SagaIdConflict>> {
    if (this.#closed) return err(unavailable(sagaId, "the engine is closed"));
    const live = this.#live.get(sagaId);
    if (live !== undefined) return this.#join(live, definition, sagaId, input);
    const { store, random, now } = this.ports;
    const saga = { name: definition.name, version: definition.version };
    const instance = new SagaInstance(this.ports, createMachine(definition, sagaId), { sagaId, saga, epoch: 1, sequence: 0 });
    const seed = hash128(`${sagaId} ${random()} ${random()} ${now()}`);
    const at = store.now();
    const deadlineAt = deadlineMs === undefined ? undefined : at + deadlineMs;
    const appended = instance.apply({ _tag: "SagaStarted", input, seed, deadlineAt, undoes, at });
    const started = appended.then((verdict): Result<Start, SagaUnavailable> => {
      if (verdict.isOk()) return ok("begun");
      if (verdict.error._tag === "SequenceConflict" || verdict.error._tag === "StaleEpoch") return ok("exists");
      return err(unavailable(sagaId, "message" in verdict.error ? verdict.error.message : verdict.error._tag));
    });
    this.#enter(sagaId, { instance, definition, input: canonicalJson(input), started });
    return started;
  }

  async #join(
    live: Live,
    definition: SagaDefinition,
    sagaId: string,
    input: Json | undefined,
  ): Promise<Result<"exists", SagaUnavailable | SagaIdConflict>> {
    if (live.definition.name !== definition.name || live.input !== canonicalJson(input)) return err(conflict(sagaId));
    return (await live.started).map(() => "exists");
  }

  /** Makes sure that a saga is live here, or says why it cannot be. One that is parked or has ended is replayed and leaves again, unless held. */
  async present(sagaId: string, options: PresentOptions = {}): Promise<Result<Present, SagaUnavailable>> {
    const live = this.#live.get(sagaId);
    if (live !== undefined && !live.instance.gone) {
      if (options.hold === true) live.instance.hold();
      const started = await live.started;
      // A start that found its saga in the store has left again: the saga itself is still to be taken up.
      if (started.isOk() && started.value === "exists") return this.present(sagaId, options);
      return started.map(() => ({ _tag: "Live", instance: live.instance }));
    }
    if (this.#closed) return err(unavailable(sagaId, "the engine is closed"));
    const under = this.#adopting.get(sagaId);
    if (under !== undefined) {
      await under;
      return this.present(sagaId, options);
    }
    const adopting = this.#adopt(sagaId, options);
    this.#adopting.set(sagaId, adopting);
    return adopting.finally(() => this.#adopting.delete(sagaId));
  }

  async #adopt(sagaId: string, { force, hold }: PresentOptions): Promise<Result<Present, SagaUnavailable>> {
    const adopted = await adopt(this.ports, this.#registry, sagaId, { force });
    if (adopted.isErr()) return err(unavailable(sagaId, "message" in adopted.error ? adopted.error.message : "another worker drives it"));
    if (this.#closed) return err(unavailable(sagaId, "the engine is closed"));
    const found = adopted.value;
    if (found._tag === "NoSuchSaga") return ok(found);
    if (found._tag === "Quarantined") {
      this.#setQuarantine(sagaId, found.quarantine);
      return ok(found);
    }
    this.#quarantined.delete(sagaId);
    const { instance, step, definition, input, epoch, entries } = found;
    const { name, version } = definition;
    this.ports.observe?.({ _tag: "SagaAdopted", sagaId, saga: { name, version }, epoch, entries });
    if (hold === true) instance.hold();
    this.#enter(sagaId, { instance, definition, input: canonicalJson(input), started: Promise.resolve(ok("begun")) });
    await instance.takeUp(step);
    return ok({ _tag: "Live", instance });
  }

  #enter(sagaId: string, live: Live): void {
    this.#live.set(sagaId, live);
    for (const listener of this.#watchers.get(sagaId) ?? []) listener();
    live.instance.onEnd((end) => {
      if (this.#live.get(sagaId) === live) this.#live.delete(sagaId);
      if (end._tag === "Lost") void this.#afterLoss(sagaId, end.error, live);
      this.ports.observe?.({ _tag: "SagaLeft", sagaId, ...leftAs(end) });
      if (end._tag === "Rested" && end.quarantine !== undefined) this.#setQuarantine(sagaId, end.quarantine);
      if (end._tag === "Rested" && end.wakeAt !== undefined) this.#wakeUps.note(end.wakeAt);
    });
  }

  async #afterLoss(sagaId: string, error: AppendError | Quarantine, { started }: Live): Promise<void> {
    const start = await started;
    // A start that met another one left nothing here to go on with. One that failed may have reached the disk all the same, and then nobody else drives it.
    if (start.isOk() && start.value === "exists") return;
    // I7: a stale epoch is never an outcome. Another owner drives the saga now, and this one writes nothing more.
    if (error._tag === "StaleEpoch") return;
    if (error._tag === "StoreUnavailable" || error._tag === "SequenceConflict") await this.#readoptLater(sagaId);
    else this.#setQuarantine(sagaId, error);
  }

  #setQuarantine(sagaId: string, quarantine: Quarantine): void {
    this.#quarantined.set(sagaId, quarantine);
    this.ports.observe?.({ _tag: "SagaQuarantined", sagaId, quarantine });
  }

  async #readoptLater(sagaId: string): Promise<void> {
    if (this.#closed) return;
    await this.ports.timer.sleep(STORE_RETRY_MS);
    if (this.#closed) return;
    const present = await this.present(sagaId);
    if (present.isErr()) return this.#readoptLater(sagaId);
    // The append whose answer was lost may have let go of locks.
    this.lookForDue();
  }

  /** Takes up every unfinished saga, oldest first, a bounded number at a time. A store that fails meanwhile is asked again. */
  async recover(): Promise<Recovery> {
    const seen = { adopted: 0, quarantined: 0 };
    let after: string | undefined;
    while (!this.#closed) {
      const page = await this.ports.store.unfinished({ limit: RECOVERY_PAGE_SAGAS, after });
      if (page.isErr()) {
        await this.ports.timer.sleep(STORE_RETRY_MS);
        continue;
      }
      await this.#recoverPage(page.value.sagaIds, seen);
      if (page.value.next === undefined) break;
      after = page.value.next;
    }
    this.ports.observe?.({ _tag: "RecoveryEnded", ...seen });
    return seen;
  }

  async #recoverPage(sagaIds: readonly string[], seen: { adopted: number; quarantined: number }): Promise<void> {
    const queue = [...sagaIds];
    const worker = async (): Promise<void> => {
      for (let sagaId = queue.shift(); sagaId !== undefined && !this.#closed; sagaId = queue.shift()) {
        if (await this.#begunHere(sagaId)) continue;
        const present = await this.present(sagaId);
        if (present.isErr()) void this.#readoptLater(sagaId);
        else if (this.#quarantined.has(sagaId)) seen.quarantined += 1;
        else seen.adopted += 1;
      }
    };
    await Promise.all(Array.from({ length: RECOVERY_CONCURRENCY }, worker));
  }

  /** Started by this engine since its creation, and so nothing to recover. */
  async #begunHere(sagaId: string): Promise<boolean> {
    const started = await this.#live.get(sagaId)?.started;
    return started?.isOk() === true && started.value === "begun";
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#wakeUps.stop();
    for (const listener of [...this.#watchers.values()].flatMap((watchers) => [...watchers])) listener();
    await Promise.all(this.#adopting.values());
    await Promise.all([...this.#live.values()].map(({ instance }) => instance.close()));
  }
}

function leftAs(end: InstanceEnd): Pick<SagaLeft, "status" | "wakeAt"> {
  return match(end)
    .with({ _tag: "Rested" }, ({ status, wakeAt }) => ({ status, wakeAt }))
    .with({ _tag: "Lost" }, () => ({ status: "lost" as const }))
    .with({ _tag: "Closed" }, () => ({ status: "closed" as const }))
    .exhaustive();
}

export function unavailable(sagaId: string, message: string): SagaUnavailable {
  return { _tag: "SagaUnavailable", sagaId, message };
}

export function conflict(sagaId: string): SagaIdConflict {
  return { _tag: "SagaIdConflict", sagaId, message: "a saga with this id exists, and is another saga or was started with another input" };
}
