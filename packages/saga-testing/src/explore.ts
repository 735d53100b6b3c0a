/**
 * Holds a saga against every schedule within bounds, and then against random ones. Owns the order of the search, its bounds, and what is said of what was left out; what
 * one run is, and what it must keep, is elsewhere.
 */
import type { createEngine } from "@backstep/saga-core";
import type { OutboxEvent } from "@backstep/saga-core/journal";
import fc from "fast-check";
import { assembleCast, type ParticipantsMaker, type Subject } from "./cast.ts";
import { type Counterexample, counterexampleOf } from "./counterexample.ts";
import { judging } from "./judge-run.ts";
import type { ParticipantLaw } from "./oracles/conserve.ts";
import { CatalogueCount, type Met } from "./schedule/catalogue.ts";
import { type Coverage, CoverageCount } from "./schedule/coverage.ts";
import { type RandomPlan, randomPlan } from "./schedule/random-plan.ts";
import { isFaultName, parseSchedule, type Schedule } from "./schedule/schedule.ts";
import { Search } from "./schedule/search.ts";
import { inLockstep } from "./simulation/lockstep.ts";
import { type Judged, type Outside, type Plan, type Run, type Script, Simulation } from "./simulation/simulation.ts";

export interface ExploreOptions<Input, Participants> {
  /** Starts one saga. */
  readonly input?: Input | undefined;
  /** Starts several at once, on the same participants. */
  readonly inputs?: readonly Input[] | undefined;
  /** Made anew for every schedule; keeps all its state in what it hands back. */
  readonly participants?: ParticipantsMaker<Participants> | undefined;
  readonly laws?: readonly ParticipantLaw<Participants>[] | undefined;
  /** How many faults a schedule of the exhaustive search has at most. Default 2; 0 for none but the undisturbed run. */
  readonly faults?: number | undefined;
  /** How many decisions of generated participants differ from yes, at most. Default 1. */
  readonly decisions?: number | undefined;
  /** Random schedules after the exhaustive ones. Default: none. */
  readonly random?: RandomOptions | undefined;
  /** What somebody outside does meanwhile: signals, cancellations. */
  readonly outside?: ((outside: Outside) => Promise<void>) | undefined;
  /**
   * A consumer of the events: handed each that was committed, at the end of a run, and twice, as a relay may. Default: nobody listens.
   */
  readonly onEvent?: ((event: OutboxEvent, participants: Participants) => void | PromiseLike<void>) | undefined;
  /**
   * All that tells one state of the participants from another, as JSON. Given, a schedule that leads to a state from which everything was tried before is not continued.
   * What it leaves out must not matter to anything that follows. Default: every schedule is run to its end.
   */
  readonly state?: ((participants: Participants) => unknown) | undefined;
  /** Runs this schedule alone: the text that a report prints. */
  readonly replay?: string | undefined;
  /** At most so many schedules in all. Default 1,000,000. */
  readonly schedulesMax?: number | undefined;
  /** At most so long, in milliseconds of the host's clock. Default: no bound. */
  readonly tookMsMax?: number | undefined;
  readonly evictAfterMs?: number | undefined;
  /** Another build of the engine, which is then held against all laws but that of replay. Default: the one of this version. */
  readonly createEngine?: typeof createEngine | undefined;
  /** Told now and then. */
  readonly onProgress?: ((progress: Progress) => void) | undefined;
}

export interface RandomOptions {
  readonly schedules: number;
  /** At most so many faults and decisions in each. Default 3. */
  readonly faults?: number | undefined;
  /** Default: from the clock. Printed with the summary. */
  readonly seed?: number | undefined;
}

export interface Progress {
  readonly schedules: number;
  readonly tookMs: number;
}

export interface Summary {
  /** How many were run, by their number of faults; random ones apart. */
  readonly exhaustive: readonly number[];
  readonly random: number;
  readonly seed?: number | undefined;
  /** Points of the undisturbed run at which something could go wrong. */
  readonly points: number;
  /** Schedules that were not continued, because everything that could follow had been tried. */
  readonly merged: number;
  readonly coverage: Coverage;
  /** The failure schedules that have names, as far as some schedule was an instance of one. */
  readonly named: ReadonlyMap<string, Met>;
  readonly tookMs: number;
  /** What a bound cut off, in words; absent when the search came to its end. */
  readonly leftOut?: string | undefined;
}

export type Exploration<Participants> =
  | { readonly _tag: "Proved"; readonly summary: Summary }
  | { readonly _tag: "Refuted"; readonly summary: Summary; readonly counterexample: Counterexample<Participants> };

const FAULTS_DEFAULT = 2;
const DECISIONS_DEFAULT = 1;
const RANDOM_FAULTS_DEFAULT = 3;
const SCHEDULES_MAX_DEFAULT = 1_000_000;
const PROGRESS_MS = 1_000;
/** Shrinking tries at most so many schedules. */
const SHRINKS_MAX = 2_000;

export async function explore<Input, Participants = undefined>(
  subject: Subject<Input, Participants>,
  options: ExploreOptions<Input, Participants>,
): Promise<Exploration<Participants>> {
  return new Explorer(subject, options).explore();
}

interface Found<Participants> extends Judged<Participants> {
  readonly schedule: Schedule;
}

class Explorer<Input, Participants> {
  readonly #options: ExploreOptions<Input, Participants>;
  readonly #script: Script<Participants>;
  readonly #begunAt = performance.now();
  readonly #search: Search;
  readonly #coverage = new CoverageCount();
  readonly #catalogue = new CatalogueCount();
  readonly #exhaustive: number[] = [];
  #random = 0;
  #points = 0;
  #toldAt = 0;
  #seed: number | undefined;
  #leftOut: string | undefined;
  #found: Found<Participants> | undefined;

  constructor(subject: Subject<Input, Participants>, options: ExploreOptions<Input, Participants>) {
    this.#options = options;
    const { faults = FAULTS_DEFAULT, decisions = DECISIONS_DEFAULT, outside, onEvent, state, evictAfterMs, createEngine } = options;
    this.#search = new Search({ faults, decisions });
    this.#script = {
      assemble: (site) => assembleCast(subject, options.participants, site),
      judge: judging(options.laws ?? [], { anotherBuild: createEngine !== undefined }),
      inputs: options.inputs ?? [options.input],
      outside,
      onEvent,
      state,
      evictAfterMs,
      createEngine,
    };
  }

  async explore(): Promise<Exploration<Participants>> {
    const { replay, random } = this.#options;
    if (replay === undefined) {
      await this.#searchThrough();
      if (random !== undefined && this.#found === undefined) await this.#searchAtRandom(random);
    } else await this.#replay(replay);
    const summary = this.#summary();
    if (this.#found === undefined) return { _tag: "Proved", summary };
    const { run, violations, schedule } = this.#found;
    return { _tag: "Refuted", summary, counterexample: counterexampleOf(run, violations, schedule) };
  }

  async #replay(text: string): Promise<void> {
    const schedule = parseSchedule(text);
    if (schedule.isErr()) throw new TypeError(`replay: ${schedule.error.message}`);
    const { deviations } = schedule.value;
    await this.#runAll(once(schedule.value), ({ taken }) => {
      if (taken.length < deviations.length)
        throw new TypeError(`replay: ${text} does not fit this saga: only ${taken.length} of it took place`);
    });
  }

  async #searchThrough(): Promise<void> {
    const next = (): Plan | undefined => {
      const deviations = this.#search.next();
      return deviations === undefined ? undefined : { deviations };
    };
    await this.#runAll(next, ({ taken, points }) => {
      if (taken.length === 0) this.#points = points.length;
      const faults = taken.filter(({ choice }) => isFaultName(choice)).length;
      this.#exhaustive[faults] = (this.#exhaustive[faults] ?? 0) + 1;
      this.#search.grow(taken, points);
    });
  }

  async #searchAtRandom({ schedules, faults = RANDOM_FAULTS_DEFAULT, seed = Date.now() % 2 ** 31 }: RandomOptions): Promise<void> {
    this.#seed = seed;
    // A fault adds points, so there are more of them than the undisturbed run shows.
    const arbitrary = randomPlan({ points: Math.ceil(this.#points * 1.5) + 4, faults });
    const plans = fc.sample(arbitrary, { seed, numRuns: schedules }).values();
    await this.#runAll(
      () => plans.next().value,
      () => {
        this.#random += 1;
      },
    );
    if (this.#found !== undefined) await this.#shrink(arbitrary, this.#found);
  }

  async #shrink(arbitrary: fc.Arbitrary<RandomPlan>, found: Found<Participants>): Promise<void> {
    const { deviations, seed = 0 } = found.schedule;
    const picked = deviations.map(({ point, choice }) => ({ point, pick: found.run.points[point - 1]?.choices.indexOf(choice) ?? 0 }));
    let tried = 0;
    const keeps = fc.asyncProperty(arbitrary, async (plan) => {
      if (tried >= SHRINKS_MAX) return true;
      tried += 1;
      const next = await this.#judgeAlone(plan);
      if (next.violations.length === 0) return true;
      this.#found = next;
      return false;
    });
    await fc.check(keeps, { examples: [[{ seed, deviations: picked }]], numRuns: 1, endOnFailure: false });
  }

  async #judgeAlone(plan: Plan): Promise<Found<Participants>> {
    let judged: Found<Participants> | undefined;
    await inLockstep(
      once(() => {
        const simulation = new Simulation(this.#script, plan);
        void simulation.ended.then((ended) => {
          judged = foundIn(ended, plan);
        });
        return simulation;
      }),
    );
    if (judged === undefined) throw new Error("a run ended without a verdict");
    return judged;
  }

  async #runAll(next: () => Plan | undefined, onRun: (run: Run<Participants>) => void): Promise<void> {
    let failure: unknown;
    let failed = false;
    await inLockstep(() => {
      if (this.#found !== undefined || failed || this.#isOver()) return undefined;
      const plan = next();
      if (plan === undefined) return undefined;
      const simulation = new Simulation(this.#script, plan);
      simulation.ended
        .then((ended) => {
          const { run } = ended;
          this.#coverage.add(run.points, run.taken);
          this.#catalogue.add(run.points, run.taken);
          onRun(run);
          this.#keepShortest(foundIn(ended, plan));
          this.#tell();
        })
        .catch((thrown: unknown) => {
          failed = true;
          failure ??= thrown;
        });
      return simulation;
    });
    if (failed) throw failure;
  }

  /** Runs go beside each other, and a longer schedule may be through before a shorter one. */
  #keepShortest(found: Found<Participants>): void {
    if (found.violations.length === 0) return;
    const known = this.#found?.schedule.deviations.length ?? Number.POSITIVE_INFINITY;
    if (found.schedule.deviations.length < known) this.#found = found;
  }

  #isOver(): boolean {
    const { schedulesMax = SCHEDULES_MAX_DEFAULT, tookMsMax = Number.POSITIVE_INFINITY } = this.#options;
    const schedules = this.#schedules();
    if (schedules >= schedulesMax) this.#leftOut ??= `stopped after ${schedules} schedules (schedulesMax)`;
    if (performance.now() - this.#begunAt >= tookMsMax)
      this.#leftOut ??= `stopped after ${tookMsMax} ms, ${schedules} schedules (tookMsMax)`;
    return this.#leftOut !== undefined;
  }

  #schedules(): number {
    return this.#exhaustive.reduce((sum, count) => sum + (count ?? 0), 0) + this.#random;
  }

  #tell(): void {
    const tookMs = performance.now() - this.#begunAt;
    if (tookMs - this.#toldAt < PROGRESS_MS) return;
    this.#toldAt = tookMs;
    this.#options.onProgress?.({ schedules: this.#schedules(), tookMs });
  }

  #summary(): Summary {
    return {
      exhaustive: Array.from(this.#exhaustive, (count) => count ?? 0),
      random: this.#random,
      seed: this.#seed,
      points: this.#points,
      merged: this.#search.merged,
      coverage: this.#coverage.coverage(),
      named: this.#catalogue.met(),
      tookMs: performance.now() - this.#begunAt,
      leftOut: this.#leftOut,
    };
  }
}

function foundIn<Participants>(judged: Judged<Participants>, { seed }: Plan): Found<Participants> {
  return { ...judged, schedule: { deviations: judged.run.taken, seed } };
}

/** Hands out one thing, once. */
function once<Value>(value: Value | (() => Value)): () => Value | undefined {
  let out = false;
  return () => {
    if (out) return undefined;
    out = true;
    return typeof value === "function" ? (value as () => Value)() : value;
  };
}
