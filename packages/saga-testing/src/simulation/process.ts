/** One process of the orchestrator: a real engine with a store on the disk that all processes share, and a timer that ends with it. */
import type { AnySaga, createEngine, Engine, Transport } from "@backstep/saga-core";
import { type AppendRequest, createMemoryStore, type JournalStore, type MemoryDisk } from "@backstep/saga-core/journal";
import { err } from "neverthrow";
import type { AppendFault } from "../schedule/fault.ts";
import { never, type VirtualClock } from "./virtual-clock.ts";

export interface ProcessPorts {
  readonly clock: VirtualClock;
  readonly disk: MemoryDisk;
  readonly random: () => number;
  readonly sagas: readonly AnySaga[];
  readonly createEngine: typeof createEngine;
  readonly evictAfterMs: number | undefined;
  readonly transportOf: (process: Process) => Transport;
  /** Asked as a record is about to be written. */
  readonly onAppend: (process: Process, request: AppendRequest) => AppendFault | undefined;
  readonly onCommitted: (process: Process, request: AppendRequest) => void;
  readonly onAcknowledged: (process: Process, request: AppendRequest) => void;
  readonly onClaimed: (process: Process, sagaId: string) => void;
  readonly onDeath: (process: Process) => void;
}

export interface Process {
  /** Counted from 1. */
  readonly life: number;
  readonly engine: Engine;
  readonly alive: boolean;
  /** Whether callers turn to this one, because no other has come after it. */
  readonly current: boolean;
  /** Settles when another process has to be asked: this one is dead, or has been taken over from. */
  readonly over: Promise<"over">;
  /** Nothing of it settles, waits or is written any more. Participants go on. */
  die(): void;
  /** It lives on, but is asked no more. */
  leave(): void;
}

/** A verdict runs through a few promises before its writer acts on it. */
const HEARD_AFTER_TURNS = 30;

export function startProcess(life: number, ports: ProcessPorts): Process {
  const { clock, disk, random, sagas, evictAfterMs } = ports;
  const over = Promise.withResolvers<"over">();
  const timer = clock.timer();
  let alive = true;
  let left = false;
  let struck: AppendFault | undefined;

  const store = createMemoryStore({
    now: () => clock.now(),
    disk,
    faults: {
      beforeCommit(request) {
        struck = ports.onAppend(process, request);
        if (struck === "die-before") process.die();
        return struck === "die-before" ? "crash" : struck === "refuse" ? "refuse" : undefined;
      },
      afterCommit(request) {
        ports.onCommitted(process, request);
        if (struck !== "die-after") return undefined;
        process.die();
        return "crash";
      },
    },
  });

  const watched: JournalStore = {
    ...store,
    async append(request) {
      const appending = store.append(request);
      const verdictLost = struck === "lose-verdict";
      const appended = await appending;
      if (appended.isErr()) return appended;
      if (verdictLost) return err({ _tag: "StoreUnavailable", message: "no answer to the commit" });
      void afterTurns(HEARD_AFTER_TURNS).then(() => ports.onAcknowledged(process, request));
      return appended;
    },
    async claim(sagaId) {
      const claimed = await store.claim(sagaId);
      if (claimed.isOk() && claimed.value !== undefined) ports.onClaimed(process, sagaId);
      return claimed;
    },
  };

  const process: Process & { engine: Engine } = {
    life,
    get alive() {
      return alive;
    },
    get current() {
      return alive && !left;
    },
    over: over.promise,
    die() {
      if (!alive) return;
      alive = false;
      store.crash();
      timer.end();
      ports.onDeath(process);
      over.resolve("over");
    },
    leave() {
      left = true;
      over.resolve("over");
    },
    engine: undefined as unknown as Engine,
  };
  process.engine = ports.createEngine({
    sagas,
    store: watched,
    timer,
    random,
    evictAfterMs,
    transport: (sending, send) => (alive ? ports.transportOf(process)(sending, send) : never()),
  });
  return process;
}

async function afterTurns(turns: number): Promise<void> {
  for (let turn = 0; turn < turns; turn += 1) await Promise.resolve();
}
