/**
 * Holds a saga against every schedule within bounds, and then against random ones. Owns the order of the search, its bounds, and what is said of what was left out; what
 * one run is, and what it must keep, is elsewhere.
 */
import fc from "fast-check";
import { assembleCast, type Subject } from "./cast.ts";
import { checkOptions } from "./check-options.ts";
import { type Counterexample, counterexampleOf } from "./counterexample.ts";
import type { ExploreOptions, RandomOptions } from "./explore-options.ts";
import { judging } from "./judge-run.ts";
import { CatalogueCount, type Met } from "./schedule/catalogue.ts";
import { type Coverage, CoverageCount } from "./schedule/coverage.ts";
import { type RandomPlan, randomPlan, shrinkablePlan } from "./schedule/random-plan.ts";
import { type Deviation, parseSchedule, type Schedule } from "./schedule/schedule.ts";
import { Search } from "./schedule/search.ts";
import { inLockstep } from "./simulation/lockstep.ts";
import { type Judged, type Plan, type Run, type Script, Simulation } from "./simulation/simulation.ts";

export interface Summary {
  /** How many were run in full, by the number of faults: none, one, two and so on. */
  readonly exhaustive: readonly number[];
  /** How many were run at random, by the number of faults and decisions that took place: a run that ends early does not come to all that was planned. */
  readonly random: readonly number[];
  /** One schedule was replayed, and nothing else. */
  readonly replayed: boolean;
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

/**
 * As `prove`, and hands back what it found instead of throwing it.
 *
 * @throws {ProofFailed} when `participants`, the saga's maker, `outside`, `onEvent` or `state` throws, or waits for what never comes; with the schedule.
 * @throws {TypeError} for options that do not fit.
 */
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
  readonly #random: number[] = [];
  #begun = 0;
  #replayed = false;
  #points = 0;
  #toldAt = 0;
  #seed: number | undefined;
  #leftOut: string | undefined;
  #found: Found<Participants> | undefined;

  constructor(subject: Subject<Input, Participants>, options: ExploreOptions<Input, Participants>) {
    checkOptions(options);
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
      this.#replayed = true;
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
      const faults = faultsIn(taken);
      this.#exhaustive[faults] = (this.#exhaustive[faults] ?? 0) + 1;
      this.#search.grow(taken, points);
    });
  }

  async #searchAtRandom({ schedules, faults = RANDOM_FAULTS_DEFAULT, seed = Date.now() % 2 ** 31 }: RandomOptions): Promise<void> {
    this.#seed = seed;
    const bounds = { points: this.#points, faults };
    const plans = fc.sample(randomPlan(bounds), { seed, numRuns: schedules }).values();
    await this.#runAll(
      () => plans.next().value,
      ({ taken }) => {
        this.#random[taken.length] = (this.#random[taken.length] ?? 0) + 1;
      },
    );
    if (this.#found !== undefined) await this.#shrink(shrinkablePlan(bounds), this.#found);
  }

  async #shrink(arbitrary: fc.Arbitrary<RandomPlan>, found: Found<Participants>): Promise<void> {
    const { deviations, seed = 0 } = found.schedule;
    const picked = deviations.map(({ point, choice }) => ({ point, pick: found.run.points[point - 1]?.choices.indexOf(choice) ?? 0 }));
    let tried = 0;
    const keeps = fc.asyncProperty(arbitrary, async (plan) => {
      if (tried >= SHRINKS_MAX || this.#timeIsOver()) return true;
      tried += 1;
      const next = await this.#judgeAlone(plan);
      if (next === undefined || next.violations.length === 0) return true;
      this.#found = next;
      return false;
    });
    await fc.check(keeps, { examples: [[{ seed, deviations: picked }]], numRuns: 1, endOnFailure: false });
  }

  async #judgeAlone(plan: Plan): Promise<Found<Participants> | undefined> {
    let judged: Found<Participants> | undefined;
    await inLockstep(
      once(() => {
        const simulation = new Simulation(this.#script, plan);
        simulation.ended.then(
          (ended) => {
            judged = foundIn(ended, plan);
          },
          // A schedule under which what was handed in throws is no shorter counterexample.
          () => undefined,
        );
        return simulation;
      }),
    );
    return judged;
  }

  async #runAll(next: () => Plan | undefined, onRun: (run: Run<Participants>) => void): Promise<void> {
    let failure: unknown;
    let failed = false;
    await inLockstep(() => {
      if (this.#found !== undefined || failed || this.#leftOut !== undefined) return undefined;
      const plan = next();
      if (plan === undefined || this.#isOver()) return undefined;
      this.#begun += 1;
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
    const { schedulesMax = SCHEDULES_MAX_DEFAULT, tookMsMax, random } = this.#options;
    const bound =
      this.#begun >= schedulesMax ? `schedulesMax, ${schedulesMax}` : this.#timeIsOver() ? `tookMsMax, ${tookMsMax} ms` : undefined;
    if (bound === undefined) return false;
    // The one that was asked for to know that there is one.
    const known = this.#search.waiting + 1;
    const rest = this.#seed === undefined ? `${known} schedules that were known by then, and what follows from them` : "random schedules";
    const more = this.#seed === undefined && random !== undefined ? "; and all random ones" : "";
    this.#leftOut = `${rest}${more} (${bound})`;
    return true;
  }

  #timeIsOver(): boolean {
    return performance.now() - this.#begunAt >= (this.#options.tookMsMax ?? Number.POSITIVE_INFINITY);
  }

  #schedules(): number {
    return sumOf(this.#exhaustive) + sumOf(this.#random);
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
      random: Array.from(this.#random, (count) => count ?? 0),
      replayed: this.#replayed,
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

function sumOf(counts: readonly (number | undefined)[]): number {
  return counts.reduce<number>((sum, count) => sum + (count ?? 0), 0);
}

function faultsIn(taken: readonly Deviation[]): number {
  return taken.filter(({ decides }) => decides !== true).length;
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
