/** What a saga is to do, as data: printed with a counterexample, shrunk by fast-check, and turned into a real saga by `planned-saga.ts`. */
import fc from "fast-check";
import { forwardScript, type Script, script } from "./script.ts";

export type InDoubt = "compensate" | "resolve" | "park";

export type SignalName = "news" | "word";

/** Time and signals; they stand on both sides of the point of no return. */
export type Pause =
  | { readonly _tag: "Sleep"; readonly ms: number }
  | { readonly _tag: "Wait"; readonly signal: SignalName; readonly timeoutMs?: number | undefined };

export type Node =
  | Pause
  | { readonly _tag: "Act"; readonly inDoubt: InDoubt; readonly script: Script }
  | { readonly _tag: "Read"; readonly script: Script }
  | All<Node>
  | { readonly _tag: "Savepoint"; readonly nodes: readonly Node[]; readonly then: "goOn" | "passOn" }
  | { readonly _tag: "Nested"; readonly nodes: readonly Node[] }
  | { readonly _tag: "Loop"; readonly times: number; readonly nodes: readonly Node[] }
  | { readonly _tag: "Fail" }
  | { readonly _tag: "Throw" }
  | { readonly _tag: "Emit" }
  /** Takes the time and a random id into the inputs of later steps. */
  | { readonly _tag: "Stamp" };

/** Members that are one node stand in the `all` themselves; longer ones are generators. */
export interface All<Member> {
  readonly _tag: "All";
  readonly shape: "list" | "record";
  readonly concurrency?: number | undefined;
  readonly members: readonly (readonly Member[])[];
}

export type ForwardNode =
  | Pause
  | { readonly _tag: "Repeat"; readonly script: Script }
  | { readonly _tag: "Look"; readonly script: Script }
  | { readonly _tag: "Emit" }
  | { readonly _tag: "Stamp" }
  | All<ForwardNode>;

export interface SagaPlan {
  readonly run: readonly Node[];
  readonly pivot?: { readonly inDoubt: "resolve" | "park"; readonly script: Script } | undefined;
  readonly complete?: readonly ForwardNode[] | undefined;
}

/** Shorter than a step's retries, about as long, longer, and so long that nobody waits for it in memory. */
const pauseMs = fc.constantFrom(0, 1, 15, 200, 3_000, 45_000);
const pause: fc.Arbitrary<Pause> = fc.oneof(
  fc.record({ _tag: fc.constant("Sleep" as const), ms: pauseMs }),
  fc.record({
    _tag: fc.constant("Wait" as const),
    signal: fc.constantFrom<SignalName>("news", "word"),
    timeoutMs: fc.option(pauseMs, { nil: undefined, freq: 1 }),
  }),
);

const leaf = <Tag extends string>(_tag: Tag) => fc.constant({ _tag } as const);
const all = <Member>(member: fc.Arbitrary<Member>): fc.Arbitrary<All<Member>> =>
  fc.record({
    _tag: fc.constant("All" as const),
    shape: fc.constantFrom("list" as const, "record" as const),
    concurrency: fc.option(fc.constantFrom(1, 2), { nil: undefined, freq: 2 }),
    members: fc.array(fc.oneof({ weight: 2, arbitrary: member.map((one) => [one]) }, fc.array(member, { maxLength: 3, size: "max" })), {
      maxLength: 3,
      size: "max",
    }),
  });

export function nodes(scripts: fc.Arbitrary<Script>, policies: readonly InDoubt[], failures: boolean): fc.Arbitrary<readonly Node[]> {
  const act: fc.Arbitrary<Node> = fc.record({ _tag: fc.constant("Act" as const), inDoubt: fc.constantFrom(...policies), script: scripts });
  const body = fc.letrec<{ node: Node; sequence: readonly Node[] }>((tie) => ({
    sequence: fc.array(tie("node"), { maxLength: 3, size: "max", depthIdentifier: "body" }),
    node: fc.oneof(
      { depthSize: "medium", depthIdentifier: "body", maxDepth: 3 },
      { weight: 16, arbitrary: act },
      { weight: 4, arbitrary: pause },
      { weight: 1, arbitrary: fc.record({ _tag: fc.constant("Read" as const), script: scripts }) },
      { weight: 1, arbitrary: leaf("Emit") },
      { weight: 1, arbitrary: leaf("Stamp") },
      ...(failures ? [{ weight: 1, arbitrary: fc.oneof({ weight: 3, arbitrary: leaf("Fail") }, leaf("Throw")) }] : []),
      { weight: 8, arbitrary: all(tie("node")) },
      {
        weight: 5,
        arbitrary: fc.record({
          _tag: fc.constant("Savepoint" as const),
          nodes: tie("sequence"),
          then: fc.constantFrom("goOn" as const, "goOn" as const, "passOn" as const),
        }),
      },
      { weight: 1, arbitrary: fc.record({ _tag: fc.constant("Nested" as const), nodes: tie("sequence") }) },
      {
        weight: 1,
        arbitrary: fc.record({ _tag: fc.constant("Loop" as const), times: fc.integer({ min: 0, max: 2 }), nodes: tie("sequence") }),
      },
    ),
  }));
  return fc.array(body.node, { minLength: 1, maxLength: 8, size: "max" });
}

const forwardLeaf: fc.Arbitrary<ForwardNode> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ _tag: fc.constant("Repeat" as const), script: forwardScript }) },
  { weight: 1, arbitrary: fc.record({ _tag: fc.constant("Look" as const), script: forwardScript }) },
  { weight: 1, arbitrary: pause },
  { weight: 1, arbitrary: leaf("Emit") },
  { weight: 1, arbitrary: leaf("Stamp") },
);

export const forwardNodes: fc.Arbitrary<readonly ForwardNode[]> = fc.array(
  fc.oneof({ weight: 3, arbitrary: forwardLeaf }, { weight: 1, arbitrary: all(forwardLeaf) }),
  { maxLength: 3 },
);

export const sagaPlan: fc.Arbitrary<SagaPlan> = fc.record({
  run: nodes(script, ["compensate", "compensate", "resolve", "park"], true),
  pivot: fc.option(fc.record({ inDoubt: fc.constantFrom("resolve" as const, "park" as const), script }), { nil: undefined, freq: 2 }),
  complete: fc.option(forwardNodes, { nil: undefined, freq: 2 }),
});
