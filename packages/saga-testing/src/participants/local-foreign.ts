/**
 * Effects in a foreign system, as a fence in intent mode takes them: what is said is held against the contract, and what became of it is noted with its commit.
 * The fence gives such code a signal on the host's clock. No run lasts until it aborts, and none may depend on it, so one that never aborts stands in its place.
 */
import type { Command, Contract, Undo } from "@backstep/contract";
import type { ForeignAction, ForeignUndo, ForeignVerdict } from "@backstep/participant";
import { keepAnswer, keepOutput, keepRejection } from "./contract-plan.ts";

export interface ForeignImplementation {
  readonly _tag: "Foreign";
  readonly partsFor: (input: unknown) => unknown;
}

/** Told as the fence is about to commit. In memory nothing comes between that and the commit. */
export interface ForeignNews {
  applied(key: string, output: unknown): void;
  takenBack(): void;
}

type AnyAction = ForeignAction<unknown, unknown>;
type AnyVerdict = ForeignVerdict<unknown, unknown>;

const NEVER = new AbortController().signal;

export function isForeign(implementation: unknown): implementation is ForeignImplementation {
  return typeof implementation === "object" && implementation !== null && "_tag" in implementation && implementation._tag === "Foreign";
}

export function actionOf(
  where: string,
  command: Command,
  implementation: ForeignImplementation,
  input: unknown,
  news: ForeignNews,
): AnyAction {
  return keepAction(where, command, implementation.partsFor(input) as AnyAction, news);
}

export function undoOf(
  { operations }: Contract,
  undone: string,
  { undoes }: Undo,
  implementation: ForeignImplementation,
  input: unknown,
  news: ForeignNews,
): ForeignUndo<unknown, unknown> {
  const { action, effect, conclude } = implementation.partsFor(input) as ForeignUndo<unknown, unknown>;
  return {
    // An undo of what is no command does not get through a contract's declaration.
    action: keepAction(undone, operations[undoes] as Command, action, news),
    effect: (context) => effect({ ...context, signal: NEVER }),
    async conclude(context) {
      await conclude?.(context);
      news.takenBack();
    },
  };
}

function keepAction(where: string, command: Command, action: AnyAction, news: ForeignNews): AnyAction {
  const { prepare, effect, query, conclude } = action;
  return {
    prepare:
      prepare === undefined
        ? undefined
        : async (context) => (await prepare(context)).mapErr((rejection) => keepRejection(where, command, rejection)),
    effect: async (context) => keepAnswer(where, command, await effect({ ...context, signal: NEVER })),
    query: query === undefined ? undefined : async (context) => keepVerdict(where, command, await query({ ...context, signal: NEVER })),
    async conclude(context, conclusion) {
      await conclude?.(context, conclusion);
      if (conclusion._tag === "Succeeded") news.applied(context.key, conclusion.output);
    },
  };
}

function keepVerdict(where: string, command: Command, verdict: AnyVerdict): AnyVerdict {
  if (verdict._tag === "Succeeded") return { _tag: "Succeeded", output: keepOutput(where, command, verdict.output) };
  if (verdict._tag === "Rejected") return { _tag: "Rejected", rejection: keepRejection(where, command, verdict.rejection) };
  return verdict;
}
