/** Mutants of the engine's rules: one line of its source exchanged. That they are caught says that the kit tests the engine, and not a model of it. */
import type { Mutant } from "./mutant.ts";

const JOIN = "engine/join-attempts.ts";

export const WRONG_ENGINES: readonly Mutant[] = [
  {
    name: "sticky doubt is forgotten",
    breaks: "doubt",
    says: "the last attempt alone says whether there was an effect",
    engine: [{ file: JOIN, from: "clearsDoubt(attempt) ? false : join.doubt || leavesDoubt(attempt)", to: "leavesDoubt(attempt)" }],
  },
  {
    name: "doubt is treated as a rejection",
    breaks: "doubt",
    says: "no answer is taken for no",
    engine: [{ file: JOIN, from: 'return attempt._tag === "Unknown" || attempt._tag', to: "return attempt._tag" }],
  },
  {
    name: "a crash leaves no doubt",
    breaks: "doubt",
    says: "what was under way when the process died is taken for not sent",
    engine: [{ file: JOIN, from: "{ ...known, doubt: true, attempts: 0, counted: 1 }", to: "{ ...known, attempts: 0, counted: 1 }" }],
  },
  {
    name: "the failing step is not undone",
    breaks: "compensation",
    says: "only steps that succeeded are taken back",
    engine: [{ file: "engine/operation.ts", from: 'outcome._tag !== "NoEffect"', to: 'outcome._tag === "Succeeded"' }],
  },
  {
    name: "undos go forward",
    breaks: "order",
    says: "what was done first is taken back first",
    engine: [
      { file: "engine/compensation.ts", from: "let index = nodes.length;", to: "let index = -1;" },
      { file: "engine/compensation.ts", from: "index -= 1;", to: "index += 1;" },
    ],
  },
  {
    name: "a key that changes from attempt to attempt",
    breaks: "intent",
    says: "the number of the attempt is part of the key",
    engine: [
      {
        file: "runtime/operation-runner.ts",
        from: "return { sagaId, key, issuedAt, attempt, timeoutMs: rules.retry.timeoutMs, signal };",
        to: "return { sagaId, key: (attempt === 1 ? key : `${key}~${attempt}`) as typeof key, issuedAt, attempt, timeoutMs: rules.retry.timeoutMs, signal };",
      },
    ],
  },
  {
    name: "a new key after a crash",
    breaks: "intent",
    says: "whoever takes a saga over repeats what was open under keys of its own",
    engine: [
      {
        file: "engine/operation.ts",
        from: "key: keyOf(sagaId, operation),\n    issuedAt,",
        to: "key: (join.counted > join.attempts ? `${keyOf(sagaId, operation)}~again` : keyOf(sagaId, operation)) as IdempotencyKey,\n    issuedAt,",
      },
    ],
  },
  {
    name: "a cancellation stops the way back",
    breaks: "stop",
    says: "a saga that goes back and is cancelled counts as compensated at once",
    engine: [
      {
        file: "engine/machine.ts",
        from: 'if (this.#phase !== "run") throw',
        to: 'if (this.#phase === "back") { this.#end("compensated", { _tag: "SagaCompensated", cause, at: this.#at }); return; }\n    if (this.#phase !== "run") throw',
      },
      {
        file: "runtime/outside-facts.ts",
        from: '.with("back", () => ok(undefined))',
        to: '.with("back", () => fact({ _tag: "CancelRequested", by, reason, at: host.ports.now() }))',
      },
    ],
  },
  {
    name: "a park is reported as compensated",
    breaks: "truth",
    says: "an undo that fails for good counts as done",
    engine: [
      {
        file: JOIN,
        from: 'if (mustSucceed(rules)) return park("CannotGoOn", causeFault(cause));',
        to: 'if (rules.slot === "compensation") return { _tag: "Settle", outcome: { _tag: "Succeeded", output: undefined } };\n  if (mustSucceed(rules)) return park("CannotGoOn", causeFault(cause));',
      },
    ],
  },
  {
    name: "an event before the pivot",
    breaks: "event",
    says: "what a body emits is published at once, whether or not the saga goes back",
    engine: [
      { file: "engine/interpreter.ts", from: "if (scope.forwardOnly) machine.emitNow", to: "if (scope !== undefined) machine.emitNow" },
    ],
  },
  {
    name: "a pivot in doubt goes back",
    breaks: "doubt",
    says: "nobody knows whether it was paid, so everything is taken back",
    engine: [
      {
        file: JOIN,
        from: '.with("resolve", (): Verdict => ({ _tag: "ResolveNow", cause }))',
        to: '.with("resolve", (): Verdict => ({ _tag: "Settle", outcome: { _tag: "NoEffect", cause } }))',
      },
    ],
  },
];
