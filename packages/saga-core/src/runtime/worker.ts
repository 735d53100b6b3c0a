/** What an engine does because others share its store: keeps a lease, looks for what nobody drives, tells what it lets go of, hears of others. Composes the parts; each is a file of its own. */
import type { Workers } from "../journal/journal-store.ts";
import type { Random, Timer } from "../primitives/host.ts";
import { Lease, type Tenure } from "./lease.ts";
import { LettingGo } from "./letting-go.ts";
import { type Look, type Orphan, Patrol } from "./patrol.ts";

export interface WorkerPorts {
  readonly workers: Workers;
  readonly timer: Timer;
  readonly random: Random;
  readonly now: () => number;
  readonly leaseMs: number;
  /** Nothing that is driven here may be begun any more: another worker may drive it. */
  readonly onLapse: () => void;
  readonly takeUp: (orphan: Orphan) => Promise<boolean>;
  readonly onLooked: (look: Look) => void;
  /** Another worker may have made a saga due. */
  readonly onNews: () => void;
}

export class Worker {
  readonly #ports: WorkerPorts;
  readonly #lease: Lease;
  readonly #patrol: Patrol;
  readonly #lettingGo: LettingGo;
  #unlisten: () => void = () => undefined;

  constructor(ports: WorkerPorts) {
    this.#ports = ports;
    this.#lease = new Lease(ports);
    this.#patrol = new Patrol({ ...ports, beatMs: this.#lease.beatMs, ready: () => this.#lease.whenHeld() });
    this.#lettingGo = new LettingGo({ ...ports, beatMs: this.#lease.beatMs });
  }

  get tenure(): Tenure {
    return this.#lease;
  }

  holds(): Promise<boolean> {
    return this.#lease.holds();
  }

  start(): void {
    void this.#lease.run();
    void this.#patrol.run();
    const heard = (): void => {
      this.#patrol.hear();
      this.#ports.onNews();
    };
    this.#unlisten = this.#ports.workers.listen?.(heard) ?? this.#unlisten;
  }

  letGo(sagaId: string): void {
    this.#lettingGo.add(sagaId);
  }

  /** To be awaited before a claim, which what is still to be let go of would undo. */
  keep(sagaId: string): Promise<void> {
    return this.#lettingGo.keep(sagaId);
  }

  /** Takes up nothing more. The lease goes on until `leave`. */
  stop(): void {
    this.#unlisten();
    this.#patrol.stop();
  }

  /** Leaves what is still driven here to the others. */
  async leave(): Promise<void> {
    await this.#lettingGo.stop();
    await this.#lease.leave();
  }
}
