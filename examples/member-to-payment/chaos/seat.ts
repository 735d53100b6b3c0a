/** A place in the fleet that is to be filled at all times: a process that is started again whenever it is gone, whoever ended it. Owns what was done to it on purpose. */
import { spawn } from "node:child_process";
import { type ServiceProcess, startServiceProcess } from "../src/service-process.ts";
import type { ProcessName, ServiceSettings } from "../src/settings.ts";
import type { Log } from "./log.ts";

/** As an orchestrator's: who has not ended by then is ended. */
const GRACE_MS = 10_000;
/** A payment worker cannot start while its journal is away, and is started again. */
const START_AGAIN_MS = 300;

export interface SeatOptions {
  readonly name: string;
  readonly service: ProcessName;
  readonly settings: () => ServiceSettings;
  readonly log: Log;
}

export class Seat {
  readonly name: string;
  readonly service: ProcessName;
  /** How often its process ended by itself. */
  crashes = 0;
  /** How often it did not end in time when it was asked to. */
  overstayed = 0;
  readonly #options: SeatOptions;
  #process: ServiceProcess | undefined;
  #filling: Promise<void> | undefined;
  #meant = false;
  #closed = false;
  #struck = false;

  constructor(options: SeatOptions) {
    this.#options = options;
    this.name = options.name;
    this.service = options.service;
  }

  /** Where its process listens; `undefined` while there is none. */
  get port(): number | undefined {
    return this.#process === undefined ? undefined : Number(new URL(this.#process.url).port);
  }

  /** Up, and nothing is being done to it. */
  get healthy(): boolean {
    return this.#process !== undefined && !this.#struck;
  }

  /** Resolves when it is up. */
  fill(): Promise<void> {
    this.#filling ??= this.#fill().finally(() => {
      this.#filling = undefined;
    });
    return this.#filling;
  }

  /** SIGKILL, and a while without it. */
  kill(downMs: number): Promise<void> {
    return this.#strike(async (process) => {
      await process.kill();
      await sleep(downMs);
    });
  }

  /** SIGTERM, as a deployment does it. */
  stop(downMs: number): Promise<void> {
    return this.#strike(async (process) => {
      const late = setTimeout(() => {
        this.overstayed += 1;
        void process.kill();
      }, GRACE_MS);
      await process.stop();
      clearTimeout(late);
      await sleep(downMs);
    });
  }

  /** SIGSTOP: it stands still with every connection open, and goes on later as if nothing had been. */
  pause(lastsMs: number): Promise<void> {
    return this.#strike(({ pid }) => {
      // By somebody who goes on should this process be killed: who stands still never learns that its parent is gone.
      const order = `kill -STOP ${pid}; sleep ${lastsMs / 1_000}; kill -CONT ${pid}`;
      const other = spawn("sh", ["-c", order], { stdio: "ignore", detached: true });
      return new Promise((resolve) => other.once("exit", () => resolve()));
    });
  }

  /** At once, for good. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#filling;
    await this.#process?.kill();
  }

  async #strike(blow: (process: ServiceProcess) => Promise<void>): Promise<void> {
    const process = this.#process;
    if (process === undefined) return;
    this.#struck = true;
    this.#meant = true;
    try {
      await blow(process);
      await this.fill();
    } finally {
      this.#meant = false;
      this.#struck = false;
    }
  }

  async #fill(): Promise<void> {
    while (this.#process === undefined && !this.#closed) {
      try {
        await this.#start();
      } catch (error) {
        this.#options.log.write(`${this.name} could not start: ${error instanceof Error ? error.message : String(error)}`);
        await sleep(START_AGAIN_MS);
      }
    }
  }

  async #start(): Promise<void> {
    const { service, settings, log } = this.#options;
    const started = await startServiceProcess(service, settings(), log.wordsOf(this.name));
    this.#process = started;
    void started.gone.then(() => this.#gone());
  }

  #gone(): void {
    this.#process = undefined;
    if (this.#closed || this.#meant) return;
    this.crashes += 1;
    this.#options.log.write(`${this.name} ended by itself`);
    void this.fill();
  }
}

function sleep(delayMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, delayMs));
}
