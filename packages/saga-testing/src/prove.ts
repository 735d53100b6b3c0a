/** `prove`: explores, and throws what it found. For any test runner. */
import type { Subject } from "./cast.ts";
import type { Counterexample } from "./counterexample.ts";
import { explore, type Summary } from "./explore.ts";
import type { ExploreOptions, Progress } from "./explore-options.ts";
import { describeSummary } from "./report/summary.ts";

/** A saga broke a law. The message tells which, by which schedule, and what happened. */
export class SagaRefuted extends Error {
  readonly counterexample: Counterexample<unknown>;
  readonly summary: Summary;

  constructor(counterexample: Counterexample<unknown>, summary: Summary) {
    super(messageOf(counterexample, summary));
    this.name = "SagaRefuted";
    this.counterexample = counterexample;
    this.summary = summary;
  }
}

/**
 * Runs a saga through every schedule with up to `faults` faults: crashes at every append, calls that go lost, late or twice, at every step. Resolves when each of them kept
 * every law; also when a bound cut the search off, which `leftOut` of the summary tells.
 *
 * Two phases each: faults strike, then nothing goes wrong any more and an operator repeats what is parked; so a saga that never comes to its end is refuted too. The
 * engine is the real one; time, journal and network are simulated, so a schedule means the same run wherever it is replayed, as long as participants ask no clock and no
 * dice but their site's: nothing notices it if they do.
 *
 * @throws {SagaRefuted} with the shortest schedule that was found to break a law.
 * @throws {ProofFailed} when `participants`, the saga's maker, `outside`, `onEvent` or `state` throws, or waits for what never comes; with the schedule.
 * @throws {TypeError} for options, or a `replay`, that do not fit.
 */
export async function prove<Input, Participants = undefined>(
  subject: Subject<Input, Participants>,
  options: ExploreOptions<Input, Participants>,
): Promise<Summary> {
  const explored = await explore(subject, { onProgress: tellProgress, ...options });
  if (explored._tag === "Refuted") throw new SagaRefuted(explored.counterexample, explored.summary);
  return explored.summary;
}

/** A search that takes longer than this, in milliseconds, is told of while it runs. */
const SILENT_MS = 5_000;

function tellProgress({ schedules, tookMs }: Progress): void {
  if (tookMs >= SILENT_MS) console.error(`prove: ${schedules} schedules in ${Math.round(tookMs / 1_000)} s`);
}

function messageOf({ schedule, violations, timeline, mermaid }: Counterexample<unknown>, summary: Summary): string {
  const [first] = violations;
  return [
    `${first?.law ?? "a law"} is broken: ${first?.message ?? ""}`,
    `(${first?.says ?? ""})`,
    "",
    timeline,
    "",
    mermaid,
    "",
    describeSummary(summary),
    "",
    `replay: ${JSON.stringify(schedule)}`,
  ].join("\n");
}
