/** What goes wrong, and when: a plan without end that follows from the seed, and what each part of it does to the fleet. What lasts heals by itself; `letGo` waits for that. */
import { match } from "ts-pattern";
import { type Fleet, LEASE_MS } from "./fleet.ts";
import type { Log } from "./log.ts";
import type { Condition, Proxy } from "./proxy.ts";
import type { Random } from "./random.ts";
import type { Seat } from "./seat.ts";

/** How often each comes, beside the others. */
const WEIGHTS = {
  "worker killed": 4,
  "worker paused past its lease": 3,
  "worker ended by SIGTERM": 2,
  "service killed": 4,
  "service paused": 3,
  "service ended by SIGTERM": 2,
  "gateway paused": 1,
  "Postgres ended at once": 3,
  "link cut": 5,
  "link slow": 4,
  "link silent": 4,
  "every link of a process cut": 1,
  "every link of a process silent": 1,
} as const;

export type FaultName = keyof typeof WEIGHTS;

export interface Fault {
  readonly name: FaultName;
  /** Since the one before. */
  readonly afterMs: number;
  readonly lastsMs: number;
  /** Which of those that it can hit, as a fraction. */
  readonly whom: number;
  /** Of a slow link. */
  readonly delayMs: number;
}

/** One after the other, for ever; several are under way at a time. */
export function* planFaults(random: Random): Generator<Fault, never> {
  for (;;) {
    const name = random.weighed(WEIGHTS);
    // Past the lease of whoever is paused, by a little or by more.
    const pausedMs = name === "worker paused past its lease" ? LEASE_MS : 0;
    yield {
      name,
      afterMs: random.whole(100, 1_700),
      lastsMs: pausedMs + random.whole(300, 3_500),
      whom: random.fraction(),
      delayMs: random.whole(50, 2_500),
    };
  }
}

export class Faults {
  /** Injected, by name. */
  readonly counts = new Map<string, number>();
  readonly #fleet: Fleet;
  readonly #log: Log;
  readonly #plan: Generator<Fault, never>;
  readonly #under = new Set<Promise<void>>();

  constructor(fleet: Fleet, random: Random, log: Log) {
    this.#fleet = fleet;
    this.#log = log;
    this.#plan = planFaults(random);
  }

  /** Follows the plan until `over`. Resolves when the last fault has healed. */
  async rage(over: AbortSignal): Promise<void> {
    while (!over.aborted) {
      const fault = this.#plan.next().value;
      await sleep(fault.afterMs);
      if (over.aborted) break;
      const striking = this.#strike(fault)
        .catch((error: unknown) => this.#log.write(`fault: ${fault.name} failed: ${String(error)}`))
        .finally(() => this.#under.delete(striking));
      this.#under.add(striking);
    }
    await Promise.all(this.#under);
  }

  note(name: string, whom: string, lastsMs: number): void {
    this.counts.set(name, (this.counts.get(name) ?? 0) + 1);
    this.#log.write(`fault: ${name}: ${whom}, ${lastsMs} ms`);
  }

  #strike(fault: Fault): Promise<void> {
    const { lastsMs, delayMs } = fault;
    return match(fault.name)
      .with("worker killed", "service killed", () => this.#hit(fault, (seat) => seat.kill(lastsMs)))
      .with("worker paused past its lease", "service paused", "gateway paused", () => this.#hit(fault, (seat) => seat.pause(lastsMs)))
      .with("worker ended by SIGTERM", "service ended by SIGTERM", () => this.#hit(fault, (seat) => seat.stop(lastsMs)))
      .with("Postgres ended at once", () => this.#endPostgres(fault))
      .with("link cut", () => this.#spoil(fault, { _tag: "Cut" }))
      .with("link slow", () => this.#spoil(fault, { _tag: "Slow", delayMs }))
      .with("link silent", () => this.#spoil(fault, { _tag: "Silent" }))
      .with("every link of a process cut", () => this.#part(fault, { _tag: "Cut" }))
      .with("every link of a process silent", () => this.#part(fault, { _tag: "Silent" }))
      .exhaustive();
  }

  async #hit(fault: Fault, blow: (seat: Seat) => Promise<void>): Promise<void> {
    const kind = fault.name.split(" ")[0];
    const seats = this.#fleet.seats.filter((seat) => seat.healthy && kindOf(seat) === kind);
    const seat = seats[Math.floor(fault.whom * seats.length)];
    // All of them are down already.
    if (seat === undefined) return;
    this.note(fault.name, seat.name, fault.lastsMs);
    await blow(seat);
  }

  async #endPostgres(fault: Fault): Promise<void> {
    const { postgres } = this.#fleet;
    if (postgres.pid === undefined) return;
    this.note(fault.name, "postgres", fault.lastsMs);
    await postgres.kill();
    await sleep(fault.lastsMs);
    await postgres.start();
  }

  async #spoil(fault: Fault, condition: Condition): Promise<void> {
    await this.#pull(fault, condition, (links) => {
      const link = links[Math.floor(fault.whom * links.length)];
      return { whom: link?.name ?? "", links: link === undefined ? [] : [link] };
    });
  }

  async #part(fault: Fault, condition: Condition): Promise<void> {
    await this.#pull(fault, condition, (links) => {
      const seats = this.#fleet.seats.filter(({ service }) => service !== "gateway");
      const seat = seats[Math.floor(fault.whom * seats.length)];
      return {
        whom: seat?.name ?? "",
        links: seat === undefined ? [] : this.#fleet.linksOf(seat.name).filter((link) => links.includes(link)),
      };
    });
  }

  async #pull(
    fault: Fault,
    condition: Condition,
    choose: (healthy: readonly Proxy[]) => { readonly whom: string; readonly links: readonly Proxy[] },
  ): Promise<void> {
    const { whom, links } = choose(this.#fleet.links.filter(({ healthy }) => healthy));
    if (links.length === 0) return;
    this.note(fault.name, whom, fault.lastsMs);
    for (const link of links) link.become(condition);
    await sleep(fault.lastsMs);
    for (const link of links) link.heal();
  }
}

function kindOf({ service }: Seat): string {
  if (service === "payment") return "worker";
  return service === "gateway" ? "gateway" : "service";
}

function sleep(delayMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, delayMs));
}
