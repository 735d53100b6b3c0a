/**
 * One run, told by hand: given participants, when this goes wrong here, what comes of it. For the test that shows one story, in virtual time; whether all stories end well
 * is `prove`'s question.
 */
import type { createEngine } from "@backstep/saga-core";
import type { OutboxEvent } from "@backstep/saga-core/journal";
import { assembleCast, type ParticipantsMaker, type Subject } from "./cast.ts";
import { judging } from "./judge-run.ts";
import type { ParticipantLaw } from "./oracles/conserve.ts";
import type { Answer } from "./oracles/history.ts";
import type { Violation } from "./oracles/law.ts";
import { timelineOf } from "./report/timeline.ts";
import type { Named } from "./schedule/choices.ts";
import type { FaultName } from "./schedule/fault.ts";
import { formatSchedule } from "./schedule/schedule.ts";
import { inLockstep } from "./simulation/lockstep.ts";
import { type Outside, Simulation } from "./simulation/simulation.ts";

export interface ScenarioOptions<Input, Participants> {
  /** Starts one saga; `inputs` several at once. */
  readonly input?: Input | undefined;
  readonly inputs?: readonly Input[] | undefined;
  readonly participants?: ParticipantsMaker<Participants> | undefined;
  readonly laws?: readonly ParticipantLaw<Participants>[] | undefined;
  /** A consumer of the events: handed each that was committed, at the end, twice. */
  readonly onEvent?: ((event: OutboxEvent, participants: Participants) => void | PromiseLike<void>) | undefined;
  readonly evictAfterMs?: number | undefined;
  /** Another build of the engine, which is then held against all laws but that of replay. Default: the one of this version. */
  readonly createEngine?: typeof createEngine | undefined;
}

export interface Outcome<Participants> {
  /** What the caller got; of several sagas, the first one's. */
  readonly answer: Answer;
  readonly answers: readonly Answer[];
  readonly participants: Participants;
  /** Laws that were broken; a story that is told right breaks none. */
  readonly violations: readonly Violation[];
  readonly timeline: string;
  /** What went wrong, for `replay`; what `given` prepared and somebody outside did is no part of it. */
  readonly schedule: string;
}

type Prepare<Participants> = (participants: Participants) => void | PromiseLike<void>;

export interface Scenario<Participants> {
  /** Changes the participants before anything happens. */
  given(prepare: Prepare<Participants>): Scenario<Participants>;
  /**
   * Lets a fault strike, or a generated participant decide, at the first point of this name: `append s1 3`, `product.deduct-stock #1` (its first attempt),
   * `undo of product.deduct-stock #1`, `query about product.deduct-stock #1`, `product.deduct-stock decides`.
   */
  when(point: string, choice: FaultName | (string & {})): Scenario<Participants>;
  /** What somebody outside does, in virtual time. */
  meanwhile(outside: (outside: Outside) => Promise<void>): Scenario<Participants>;
  /** @throws {TypeError} when what should go wrong never could: no point of this name was met, or the choice is none of its. */
  run(): Promise<Outcome<Participants>>;
}

export function scenario<Input, Participants = undefined>(
  subject: Subject<Input, Participants>,
  options: ScenarioOptions<Input, Participants>,
): Scenario<Participants> {
  return tell(subject, options, { prepare: [], deviations: [], outside: [] });
}

interface Told<Participants> {
  readonly prepare: readonly Prepare<Participants>[];
  readonly deviations: readonly Named[];
  readonly outside: readonly ((outside: Outside) => Promise<void>)[];
}

function tell<Input, Participants>(
  subject: Subject<Input, Participants>,
  options: ScenarioOptions<Input, Participants>,
  told: Told<Participants>,
): Scenario<Participants> {
  const more = (next: Partial<Told<Participants>>) => tell(subject, options, { ...told, ...next });
  return {
    given: (prepare) => more({ prepare: [...told.prepare, prepare] }),
    when: (label, choice) => more({ deviations: [...told.deviations, { label, choice }] }),
    meanwhile: (outside) => more({ outside: [...told.outside, outside] }),
    run: () => play(subject, options, told),
  };
}

async function play<Input, Participants>(
  subject: Subject<Input, Participants>,
  options: ScenarioOptions<Input, Participants>,
  { prepare, deviations, outside }: Told<Participants>,
): Promise<Outcome<Participants>> {
  const inputs = options.inputs ?? [options.input];
  const simulation = new Simulation<Participants>(
    {
      assemble: async (site) => {
        const cast = await assembleCast(subject, options.participants, site);
        for (const change of prepare) await change(cast.participants);
        return cast;
      },
      judge: judging(options.laws ?? [], { anotherBuild: options.createEngine !== undefined }),
      onEvent: options.onEvent,
      evictAfterMs: options.evictAfterMs,
      createEngine: options.createEngine,
      inputs,
      outside: async (world) => {
        await Promise.all(outside.map((act) => act(world)));
      },
    },
    { deviations },
  );
  await inLockstep(handOut(simulation));
  const { run, violations } = await simulation.ended;
  if (run.taken.length < deviations.length) {
    const unmet = deviations.filter(
      ({ label, choice }) => !run.taken.some((taken) => taken.choice === choice && run.points[taken.point - 1]?.label === label),
    );
    const wanted = unmet.map(({ label, choice }) => `${choice} at ${label}`).join(", ");
    const points = [...new Set(run.points.map(({ label }) => label))].join(", ");
    throw new TypeError(`${wanted} never could happen; the points were ${points}`);
  }
  const answers = run.histories.map(({ answer }) => answer);
  return {
    answer: answers[0] ?? { _tag: "Stuck" },
    answers,
    participants: run.participants,
    violations,
    timeline: timelineOf(run.log, violations),
    schedule: formatSchedule({ deviations: run.taken }),
  };
}

function handOut<Participants>(simulation: Simulation<Participants>): () => Simulation<Participants> | undefined {
  const left = [simulation];
  return () => left.pop();
}
