/** Turns a plan into a saga of real steps. What its body counts as done is its output, so that it can be held against what participants saw. */
import type { Result } from "neverthrow";
import { match, P } from "ts-pattern";
import { z } from "zod";
import type { AnyYieldable, Effect } from "../../src/definition/effect.ts";
import {
  all,
  type Body,
  type CompleteEffect,
  emit,
  fail,
  type NestableSaga,
  now,
  type RunEffect,
  type SignalTimedOut,
  saga,
  savepoint,
  signal,
  sleep,
  uuid,
  waitFor,
  type Yieldable,
} from "../../src/index.ts";
import { declareSteps, type Order, type Participants, type Receipt, type Refusal, type Steps } from "./planned-steps.ts";
import type { All, ForwardNode, Node, Pause, SagaPlan, SignalName } from "./saga-plan.ts";
import type { Script } from "./script.ts";

/** What the body counts as done, handed out as the saga's output. */
export interface Done {
  readonly acted: readonly string[];
  readonly emitted: readonly string[];
}

/** What a body knows and has done. */
interface Progress {
  readonly acted: string[];
  readonly emitted: string[];
  readonly memory: { carried: string | number };
}

/** An effect, and what the body makes of its value. */
interface Planned<Yielded> {
  readonly effect: Yielded;
  readonly absorb: (value: unknown) => void;
}

export const SIGNALS = {
  news: signal({ name: "news", payload: z.number() }),
  word: signal({ name: "word", payload: z.number() }),
} as const satisfies Readonly<Record<SignalName, unknown>>;

const noted = { type: "Noted", data: z.object({ place: z.string() }) } as const;

export function plannedSaga(plan: SagaPlan, participants: Participants) {
  const steps = declareSteps(participants);
  const { pivot, complete } = plan;
  const pivotStep = pivot === undefined ? undefined : steps.pivot(pivot.inDoubt);
  return saga({
    name: "planned",
    input: z.number(),
    run: (input: number) => runSequence(steps, plan.run, "run", { carried: input }),
    pivot:
      pivot === undefined || pivotStep === undefined
        ? undefined
        : (done: Done) => pivotStep({ place: "pivot", carried: done.acted.length, script: pivot.script }),
    complete: complete === undefined ? undefined : (done: Done) => completeSequence(steps, complete, done, pivot !== undefined),
  } as Parameters<typeof saga>[0]) as unknown as NestableSaga<"planned", number, Done, Refusal>;
}

// Going forward, with a way back.

function* runSequence(steps: Steps, nodes: readonly Node[], place: string, memory: Progress["memory"]): Body<RunEffect, Done> {
  const progress: Progress = { acted: [], emitted: [], memory };
  yield* perform(steps, nodes, place, progress);
  return { acted: progress.acted, emitted: progress.emitted };
}

function* perform(steps: Steps, nodes: readonly Node[], place: string, progress: Progress): Body<RunEffect, void> {
  for (const [index, node] of nodes.entries()) {
    const here = `${place}.${index}`;
    if (node._tag === "Throw") throw new Error("as planned");
    if (node._tag === "Stamp") progress.memory.carried = `${yield* now()} ${yield* uuid()}`;
    else if (node._tag === "Loop") {
      for (let turn = 0; turn < node.times; turn += 1) yield* perform(steps, node.nodes, `${here}-${turn}`, progress);
    } else {
      const { effect, absorb } = planned(steps, node, here, progress);
      const value = yield* effect;
      absorb(value);
      if (node._tag === "Savepoint" && node.then === "passOn") yield* value as Result<unknown, Refusal>;
    }
  }
}

/** A node that is one effect. The others are pieces of a body. */
type EffectNode = Exclude<Node, { readonly _tag: "Loop" | "Stamp" | "Throw" }>;
type RunYieldable = Yieldable<unknown, Exclude<RunEffect, { readonly isErr: unknown }>>;

function planned(steps: Steps, node: EffectNode, place: string, progress: Progress): Planned<RunYieldable> {
  const { memory } = progress;
  const finish = (done: Done): void => {
    progress.acted.push(...done.acted);
    progress.emitted.push(...done.emitted);
  };
  return match(node)
    .returnType<Planned<RunYieldable>>()
    .with({ _tag: "Act" }, ({ inDoubt, script }) => ({
      effect: steps.act[inDoubt](orderOf(place, memory, script)),
      absorb: (receipt) => acted(progress, receipt as Receipt),
    }))
    .with({ _tag: "Read" }, ({ script }) => ({
      effect: steps.read(orderOf(place, memory, script)),
      absorb: (receipt) => learned(progress, receipt as Receipt),
    }))
    .with({ _tag: P.union("Sleep", "Wait") }, (pause) => plannedPause(pause, progress))
    .with({ _tag: "Emit" }, () => ({ effect: emit(noted, { place }), absorb: () => progress.emitted.push(place) }))
    .with({ _tag: "Fail" }, () => ({ effect: fail({ _tag: "Refused" }), absorb: () => undefined }))
    .with({ _tag: "Nested" }, ({ nodes }) => {
      const inner = saga({ name: "inner", input: z.undefined(), run: () => runSequence(steps, nodes, place, memory) });
      return { effect: inner(undefined), absorb: (done) => finish(done as Done) };
    })
    .with({ _tag: "Savepoint" }, ({ nodes }) => ({
      effect: savepoint(() => runSequence(steps, nodes, place, memory)),
      absorb: (tried) => (tried as Result<Done, unknown>).map(finish),
    }))
    .with({ _tag: "All" }, (all) => {
      const members = all.members.map((member, index): Planned<AnyYieldable> => {
        const [here, only] = [`${place}.${index}`, soleEffect(member)];
        if (only !== undefined) return planned(steps, only, here, progress);
        return { effect: runSequence(steps, member, here, memory) as AnyYieldable, absorb: (done) => finish(done as Done) };
      });
      return sideBySide(all, members) as Planned<RunYieldable>;
    })
    .exhaustive();
}

function soleEffect(member: readonly Node[]): EffectNode | undefined {
  const [only] = member;
  if (member.length !== 1 || only === undefined) return undefined;
  return only._tag === "Loop" || only._tag === "Stamp" || only._tag === "Throw" ? undefined : only;
}

// After the point of no return.

function* completeSequence(steps: Steps, nodes: readonly ForwardNode[], before: Done, pivoted: boolean): Body<CompleteEffect, Done> {
  const progress: Progress = { acted: [...before.acted], emitted: [...before.emitted], memory: { carried: 0 } };
  if (pivoted) progress.acted.push("pivot");
  yield* performForward(steps, nodes, "complete", progress);
  return { acted: progress.acted, emitted: progress.emitted };
}

function* performForward(steps: Steps, nodes: readonly ForwardNode[], place: string, progress: Progress): Body<CompleteEffect, void> {
  for (const [index, node] of nodes.entries()) {
    if (node._tag === "Stamp") progress.memory.carried = `${yield* now()} ${yield* uuid()}`;
    else {
      const { effect, absorb } = plannedForward(steps, node, `${place}.${index}`, progress);
      absorb(yield* effect);
    }
  }
}

function plannedForward(
  steps: Steps,
  node: Exclude<ForwardNode, { readonly _tag: "Stamp" }>,
  place: string,
  progress: Progress,
): Planned<Yieldable<unknown, CompleteEffect>> {
  const { memory } = progress;
  return match(node)
    .returnType<Planned<Yieldable<unknown, CompleteEffect>>>()
    .with({ _tag: "Repeat" }, ({ script }) => ({
      effect: steps.repeat(orderOf(place, memory, script)),
      absorb: (receipt) => acted(progress, receipt as Receipt),
    }))
    .with({ _tag: "Look" }, ({ script }) => ({
      effect: steps.look(orderOf(place, memory, script)),
      absorb: (receipt) => learned(progress, receipt as Receipt),
    }))
    .with({ _tag: P.union("Sleep", "Wait") }, (pause) => plannedPause(pause, progress))
    .with({ _tag: "Emit" }, () => ({ effect: emit(noted, { place }), absorb: () => progress.emitted.push(place) }))
    .with({ _tag: "All" }, (all) => {
      const members = all.members.map((member, index): Planned<AnyYieldable> => {
        const here = `${place}.${index}`;
        const [only] = member;
        if (member.length === 1 && only !== undefined && only._tag !== "Stamp") return plannedForward(steps, only, here, progress);
        return { effect: performForward(steps, member, here, progress), absorb: () => undefined };
      });
      return sideBySide(all, members) as Planned<Yieldable<unknown, CompleteEffect>>;
    })
    .exhaustive();
}

// Both ways.

type PlainYieldable = Yieldable<unknown, Effect<string, "plain", never>>;

function plannedPause(pause: Pause, progress: Progress): Planned<PlainYieldable> {
  if (pause._tag === "Sleep") return { effect: sleep(pause.ms), absorb: () => undefined };
  const { signal: name, timeoutMs } = pause;
  if (timeoutMs === undefined) return { effect: waitFor(SIGNALS[name]), absorb: (payload) => heard(progress, payload as number) };
  return {
    effect: waitFor(SIGNALS[name], { timeout: timeoutMs }),
    absorb: (answer) => heard(progress, (answer as Result<number, SignalTimedOut>).unwrapOr(-1)),
  };
}

function sideBySide({ shape, concurrency }: All<unknown>, members: readonly Planned<AnyYieldable>[]): Planned<AnyYieldable> {
  const effects = members.map(({ effect }) => effect);
  const keyed = Object.fromEntries(effects.map((effect, index) => [`member ${index}`, effect]));
  return {
    effect: all(shape === "list" ? effects : keyed, { concurrency }) as AnyYieldable,
    absorb: (values) => {
      for (const [index, value] of Object.values(values as object).entries()) members[index]?.absorb(value);
    },
  };
}

function orderOf(place: string, { carried }: Progress["memory"], script: Script): Order {
  return { place, carried, script };
}

function acted(progress: Progress, receipt: Receipt): void {
  progress.acted.push(receipt.place);
  learned(progress, receipt);
}

function learned(progress: Progress, { number }: Receipt): void {
  heard(progress, number);
}

function heard({ memory }: Progress, number: number): void {
  memory.carried = `${memory.carried}`.length > 60 ? number : `${memory.carried} ${number}`;
}
