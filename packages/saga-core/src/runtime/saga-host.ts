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
import type { AppendError, ClaimError, StoredJournal } from "../journal/journal-store.ts";
import { hash128 } from "../primitives/hash.ts";
import { canonicalJson, type Json } from "../primitives/json.ts";
import { type AdoptOptions, adopt, claimWanted, unknownSaga } from "./adoption.ts";
import { type InstanceEnd, type InstancePorts, LAPSED, SagaInstance } from "./instance.ts";
import { SOLE_TENURE } from "./lease.ts";
import type { SagaLeft } from "./observer.ts";
import type { Look, Orphan } from "./patrol.ts";
import { Quarantines } from "./quarantines.ts";
import { type Recovery, RecoveryCount, recoverAll } from "./recovery.ts";
import type { Registry } from "./registry.ts";
import { Room } from "./room.ts";
import { STORE_RETRY_MS } from "./store-retry.ts";
import { WakeUps } from "./wake-ups.ts";
import { Worker } from "./worker.ts";

/** How often a store that others share is looked at for sagas that are due, in milliseconds, at least. */
const SHARED_LOOK_MS = 500;
const CLOSED = "the engine is closed";
const OVERLOADED = "as many callers wait to start a saga as this engine has sagas in memory: try again later";
const OVERLOADED_RETRY_MS = 1_000;

export type Present =
  | { readonly _tag: "Live"; readonly instance: SagaInstance }
  | { readonly _tag: "Quarantined"; readonly quarantine: Quarantine }
  /** Another worker drives it, and did not hand it over. */
  | { readonly _tag: "Elsewhere" }
  | { readonly _tag: "NoSuchSaga" };

export interface PresentOptions extends AdoptOptions {
  /** Come back with nothing rather than wait for a place in memory. */
  readonly ifRoom?: boolean | undefined;
  /** A definition here is known to fit it. */
  readonly fits?: boolean | undefined;
  /** Keep the instance in memory, though the saga be parked, until `release` is called on it. */
  readonly hold?: boolean | undefined;
}

export interface Beginning {
  readonly deadlineMs?: number | undefined;
  /** The saga that the new one takes back. */
  readonly undoes?: UndoneSaga | undefined;
}

/** `exists`: a saga of this id is in the store already; whoever began it, this engine did not. */
type Start = "begun" | "exists";

/** What a second start of the same id is compared with, and waits for. */
interface Begun<Failure> {
  readonly definition: SagaDefinition;
  readonly input: string;
  /** Settles once the start is durable, here or by somebody else's hand, or never will be. */
  readonly started: Promise<Result<Start, Failure>>;
}

interface Live extends Begun<SagaUnavailable> {
  readonly instance: SagaInstance;
}

function isSameStart(begun: Begun<unknown>, definition: SagaDefinition, input: Json | undefined): boolean {
  return begun.definition.name === definition.name && begun.input === canonicalJson(input);
}

/** What the host adds to the ports of its instances. */
export type HostPorts = Omit<InstancePorts, "onLetGo" | "onPace" | "tenure"> & {
  readonly inMemoryMax: number;
  /** Of this worker's lease, in milliseconds. Means nothing to a store without workers. */
  readonly leaseMs: number;
};

export class SagaHost {
  readonly ports: InstancePorts;
  readonly #registry: Registry;
  /** Starts that wait for their turn, or did so. */
  readonly #inLine = new Map<string, Begun<SagaUnavailable | SagaIdConflict>>();
  readonly #live = new Map<string, Live>();
  readonly #adopting = new Map<string, Promise<Result<Present, SagaUnavailable>>>();
  readonly #quarantines: Quarantines;
  readonly #wakeUps: WakeUps;
  readonly #room: Room;
  /** Those that could leave memory if others need their place, the one at rest for longest first. */
  readonly #resting = new Set<SagaInstance>();
  /** Absent: the sagas of the store are this engine's alone. */
  readonly #worker: Worker | undefined;
  readonly #recovery: RecoveryCount;
  /** Called when a saga comes into memory, or the engine closes. */
  readonly #watchers = new Map<string, Set<() => void>>();
  #closed = false;

  constructor({ inMemoryMax, leaseMs, ...ports }: HostPorts, registry: Registry) {
    const { workers } = ports.store;
    this.#quarantines = new Quarantines(ports.observe);
    this.#recovery = new RecoveryCount(ports.observe);
    this.#worker =
      workers === undefined
        ? undefined
        : new Worker({
            ...ports,
            workers,
            leaseMs,
            onLapse: () => this.#onLapse(),
            takeUp: (orphan) => this.#takeUpOrphan(orphan),
            onLooked: (look) => this.#onLooked(look),
            onNews: () => this.lookForDue(),
          });
    this.ports = {
      ...ports,
      tenure: this.#worker?.tenure ?? SOLE_TENURE,
      onLetGo: () => this.lookForDue(),
      onPace: (instance) => this.#onPace(instance),
    };
    this.#registry = registry;
    this.#room = new Room({ sagasMax: inMemoryMax, makeRoom: () => this.#makeRoom() });
    this.#wakeUps = new WakeUps({
      ...ports,
      lookMsMax: workers === undefined ? undefined : SHARED_LOOK_MS,
      asleep: (sagaId) => !this.#live.has(sagaId) && this.quarantine(sagaId) === undefined,
      nudge: (sagaId) => this.#live.get(sagaId)?.instance.nudge(),
      handOver: (sagaId) => this.#handOver(sagaId),
      wake: async (sagaId) => {
        const present = await this.present(sagaId, { ifRoom: true });
        return present.isOk();
      },
    });
  }

  /** Takes up what nobody drives, and wakes sagas when their time comes, until the engine is closed. */
  start(): void {
    if (this.#worker === undefined) void this.#recover();
    else this.#worker.start();
    void this.#wakeUps.run();
  }

  /** Resolves when what was left behind before this engine has been taken up. */
  get recovered(): Promise<Recovery> {
    return this.#recovery.ended;
  }

  /** Whether other workers may drive sagas of this store. */
  get shared(): boolean {
    return this.#worker !== undefined;
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
  get quarantined(): Iterable<string> {
    return this.#quarantines.sagaIds;
  }

  quarantine(sagaId: string): Quarantine | undefined {
    return this.#quarantines.get(sagaId);
  }

  /** The same, of a journal that was read just now: another worker may have taken the saga on since, and drive it. */
  quarantineNow(journal: StoredJournal): Quarantine | undefined {
    if (this.shared) this.#quarantines.forgetOlderThan(journal);
    return this.quarantine(journal.sagaId);
  }

  /** It was ended without being driven. */
  forgetQuarantine(sagaId: string): void {
    this.#quarantines.forget(sagaId);
  }

  /**
   * Puts a new saga in place and journals its start. `"exists"`: a saga of this id is in the store already; compare and join it.
   * The place is taken before the append, so that a second start of the same id in this process waits for the first one's verdict.
   */
  async begin(
    definition: SagaDefinition,
    sagaId: string,
    input: Json | undefined,
    beginning: Beginning = {},
  ): Promise<Result<Start, SagaUnavailable | SagaIdConflict>> {
    const waiting = this.#inLine.get(sagaId);
    // What only waits is no saga yet, and may never be one: it conflicts with nobody.
    if (waiting !== undefined && !isSameStart(waiting, definition, input)) {
      await waiting.started;
      return this.begin(definition, sagaId, input, beginning);
    }
    const present = this.#live.get(sagaId) ?? waiting;
    if (present !== undefined) return this.#join(present, definition, sagaId, input);
    const started = this.#begin(definition, sagaId, input, beginning);
    if (!this.#room.full) return started;
    // Who asks again while it waits for its turn takes no second place in the line.
    this.#inLine.set(sagaId, { definition, input: canonicalJson(input), started });
    return started.finally(() => this.#inLine.delete(sagaId));
  }

  async #begin(
    definition: SagaDefinition,
    sagaId: string,
    input: Json | undefined,
    { deadlineMs, undoes }: Beginning,
  ): Promise<Result<Start, SagaUnavailable | SagaIdConflict>> {
    const barred = await this.#admit("start", sagaId);
    if (barred !== undefined) return err(barred);
    // From here until it is entered nothing is awaited.
    const live = this.#live.get(sagaId);
    if (live !== undefined || this.#closed) {
      this.#room.leave();
      return live === undefined ? err(unavailable(sagaId, CLOSED)) : this.#join(live, definition, sagaId, input);
    }
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
    // A first record that fits no journal is found at once.
    if (instance.gone) this.#room.leave();
    else this.#enter(sagaId, { instance, definition, input: canonicalJson(input), started });
    return started;
  }

  async #join(
    live: Begun<SagaUnavailable | SagaIdConflict>,
    definition: SagaDefinition,
    sagaId: string,
    input: Json | undefined,
  ): Promise<Result<"exists", SagaUnavailable | SagaIdConflict>> {
    if (!isSameStart(live, definition, input)) return err(conflict(sagaId));
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
    if (this.#closed) return err(unavailable(sagaId, CLOSED));
    const under = this.#adopting.get(sagaId);
    if (under !== undefined) {
      await under;
      return this.present(sagaId, options);
    }
    const adopting = this.#adopt(sagaId, options);
    this.#adopting.set(sagaId, adopting);
    return adopting.finally(() => this.#adopting.delete(sagaId));
  }

  async #adopt(sagaId: string, options: PresentOptions): Promise<Result<Present, SagaUnavailable>> {
    if (options.ifRoom === true && this.#room.full) return err(unavailable(sagaId, "there is no place in memory"));
    const barred = await this.#admit("adoption", sagaId);
    if (barred !== undefined) return err(barred);
    const present = await this.#adoptAdmitted(sagaId, options);
    if (present.isErr() || present.value._tag !== "Live") this.#room.leave();
    // A claim of which nothing was heard may have taken effect.
    if (present.isErr()) this.letGo(sagaId);
    return present;
  }

  async #adoptAdmitted(sagaId: string, { force, want, hold, fits = false }: PresentOptions): Promise<Result<Present, SagaUnavailable>> {
    const unfit = fits || !this.shared ? undefined : await this.#findUnfit(sagaId);
    if (unfit !== undefined) return unfit;
    await this.#worker?.keep(sagaId);
    const adopted = await adopt(this.ports, this.#registry, sagaId, { force, want });
    if (adopted.isErr()) {
      const { error } = adopted;
      return error._tag === "SagaDriven" ? ok({ _tag: "Elsewhere" }) : err(unavailable(sagaId, error.message));
    }
    if (this.#closed) return err(unavailable(sagaId, CLOSED));
    const found = adopted.value;
    if (found._tag === "NoSuchSaga") return ok(found);
    if (found._tag === "Quarantined") {
      this.#setQuarantine(sagaId, found.quarantine, found.epoch);
      return ok(found);
    }
    this.#quarantines.forget(sagaId);
    const { instance, step, definition, input, epoch, entries } = found;
    const { name, version } = definition;
    this.ports.observe?.({ _tag: "SagaAdopted", sagaId, saga: { name, version }, epoch, entries });
    if (hold === true) instance.hold();
    this.#enter(sagaId, { instance, definition, input: canonicalJson(input), started: Promise.resolve(ok("begun")) });
    await instance.takeUp(step);
    return ok({ _tag: "Live", instance });
  }

  /** Of a saga that no definition here fits nothing is claimed: another worker may know it. */
  async #findUnfit(sagaId: string): Promise<Result<Present, SagaUnavailable> | undefined> {
    const loaded = await this.ports.store.load(sagaId);
    // What cannot be read is found out by the claim, which takes nothing over then.
    if (loaded.isErr()) return loaded.error._tag === "StoreUnavailable" ? err(unavailable(sagaId, loaded.error.message)) : undefined;
    const journal = loaded.value;
    if (journal === undefined || this.#registry.get(journal.saga) !== undefined) return undefined;
    const quarantine = unknownSaga(journal.saga);
    this.#quarantines.note(sagaId, { quarantine, epoch: journal.epoch });
    return ok({ _tag: "Quarantined", quarantine });
  }

  /** For a verb that needs no instance. Whoever claims it so lets go of it afterwards. */
  async claim(sagaId: string): Promise<Result<StoredJournal | undefined, ClaimError>> {
    await this.#worker?.keep(sagaId);
    return claimWanted(this.ports, sagaId);
  }

  letGo(sagaId: string): void {
    this.#worker?.letGo(sagaId);
  }

  /** Its place in memory is given back when it leaves. */
  #enter(sagaId: string, live: Live): void {
    this.#live.set(sagaId, live);
    for (const listener of this.#watchers.get(sagaId) ?? []) listener();
    live.instance.onEnd((end) => {
      if (this.#live.get(sagaId) === live) this.#live.delete(sagaId);
      this.#resting.delete(live.instance);
      this.#room.leave();
      if (end._tag === "Lost") void this.#afterLoss(sagaId, end.error, live);
      this.ports.observe?.({ _tag: "SagaLeft", sagaId, ...leftAs(end) });
      if (end._tag === "Rested") this.#afterRest(sagaId, live.instance.epoch, end);
      if (end._tag === "Closed" && !this.#closed) this.letGo(sagaId);
    });
    // Who comes in after the lease has lapsed, from a long wait for its turn or for the claim's answer, was not here to be dropped with the others.
    if (!this.ports.tenure.held()) live.instance.drop(LAPSED);
  }

  #afterRest(sagaId: string, epoch: number, { wakeAt, quarantine, leftByRecord }: Extract<InstanceEnd, { readonly _tag: "Rested" }>): void {
    if (!leftByRecord) this.letGo(sagaId);
    if (quarantine !== undefined) this.#setQuarantine(sagaId, quarantine, epoch);
    if (wakeAt !== undefined) this.#wakeUps.note(wakeAt);
  }

  /** Waits for a place in memory, which is then taken; or says why there is none. */
  async #admit(kind: "start" | "adoption", sagaId: string): Promise<SagaUnavailable | undefined> {
    if (this.#worker !== undefined && !(await this.#worker.holds())) {
      return unavailable(sagaId, "this worker has no lease, for the store has not granted or renewed it: try again");
    }
    if (kind === "start" && this.#room.crowded) return { ...unavailable(sagaId, OVERLOADED), retryAfterMs: OVERLOADED_RETRY_MS };
    await this.#room.enter(kind);
    return undefined;
  }

  /** To another worker, once what is in flight has settled. */
  #handOver(sagaId: string): void {
    // It stays wanted, and is handed over once it is here.
    if (this.#adopting.has(sagaId)) return;
    const live = this.#live.get(sagaId);
    if (live === undefined) this.letGo(sagaId);
    else void live.instance.close();
  }

  #makeRoom(): boolean {
    for (const instance of this.#resting) if (instance.evict()) return true;
    return false;
  }

  #onPace(instance: SagaInstance): void {
    this.#resting.delete(instance);
    if (instance.resting && !(this.#room.wanted && instance.evict())) this.#resting.add(instance);
  }

  /** Others may drive them from now on. They are taken up again when the lease is held again, unless somebody does. */
  #onLapse(): void {
    for (const { instance } of this.#live.values()) instance.drop(LAPSED);
  }

  async #takeUpOrphan({ sagaId, saga }: Orphan): Promise<boolean> {
    const known = this.quarantine(sagaId);
    if (this.#live.has(sagaId) || (known !== undefined && known._tag !== "UnknownSaga")) return true;
    if (this.#registry.get(saga) === undefined) {
      if (known === undefined) this.#quarantines.note(sagaId, { quarantine: unknownSaga(saga), epoch: undefined });
      return true;
    }
    const present = await this.present(sagaId, { fits: true });
    if (present.isErr()) return false;
    if (present.value._tag === "Elsewhere") return true;
    this.#countRecovered(sagaId);
    return true;
  }

  /** What was an orphan that nobody here knows, and is none any more, somebody else has taken up. */
  #onLooked({ sagaIds, complete }: Look): void {
    this.#quarantines.forgetUnknownBut(sagaIds);
    if (complete) this.#recovery.end();
  }

  async #afterLoss(sagaId: string, error: AppendError | Quarantine, { started, instance }: Live): Promise<void> {
    const start = await started;
    // A start that met another one left nothing here to go on with. One that failed may have reached the disk all the same, and then nobody else drives it.
    if (start.isOk() && start.value === "exists") return;
    // I7: a stale epoch is never an outcome. Another owner drives the saga now, and this one writes nothing more.
    if (error._tag === "StaleEpoch") return;
    if (error._tag === "StoreUnavailable" || error._tag === "SequenceConflict") await this.#readoptLater(sagaId);
    else this.#setQuarantine(sagaId, error, instance.epoch);
  }

  /** Of one that was claimed: another worker may be of a version that can drive it. */
  #setQuarantine(sagaId: string, quarantine: Quarantine, epoch: number | undefined): void {
    this.letGo(sagaId);
    this.#quarantines.note(sagaId, { quarantine, epoch });
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

  async #recover(): Promise<void> {
    const { store, timer } = this.ports;
    await recoverAll({ store, timer, stopped: () => this.#closed, takeUp: (sagaId) => this.#takeUpLeftBehind(sagaId) });
    this.#recovery.end();
  }

  async #takeUpLeftBehind(sagaId: string): Promise<void> {
    if (await this.#begunHere(sagaId)) return;
    const present = await this.present(sagaId);
    if (present.isErr()) void this.#readoptLater(sagaId);
    else this.#countRecovered(sagaId);
  }

  #countRecovered(sagaId: string): void {
    this.#recovery.add(this.quarantine(sagaId) === undefined ? "adopted" : "quarantined");
  }

  /** Started by this engine since its creation, and so nothing to recover. */
  async #begunHere(sagaId: string): Promise<boolean> {
    const started = await this.#live.get(sagaId)?.started;
    return started?.isOk() === true && started.value === "begun";
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#wakeUps.stop();
    this.#worker?.stop();
    this.#room.close();
    for (const listener of [...this.#watchers.values()].flatMap((watchers) => [...watchers])) listener();
    await Promise.all(this.#adopting.values());
    await Promise.all([...this.#live.values()].map(({ instance }) => instance.close()));
    await this.#worker?.leave();
    this.#recovery.end();
  }
}

function leftAs(end: InstanceEnd): Pick<SagaLeft, "status" | "wakeAt"> {
  return match(end)
    .with({ _tag: "Rested" }, ({ status, wakeAt }) => ({ status, wakeAt }))
    .with({ _tag: "Lost" }, () => ({ status: "lost" as const }))
    .with({ _tag: "Closed" }, () => ({ status: "closed" as const }))
    .exhaustive();
}

/** What a caller is told who wanted a saga in vain. */
export const ELSEWHERE = "another worker drives it, and is long about its attempt in flight: try again";

export function unavailable(sagaId: string, message: string): SagaUnavailable {
  return { _tag: "SagaUnavailable", sagaId, message };
}

export function conflict(sagaId: string): SagaIdConflict {
  return { _tag: "SagaIdConflict", sagaId, message: "a saga with this id exists, and is another saga or was started with another input" };
}
