/** I3: the way back is the way there reversed, and members of one `all` go it side by side; a group that failed starts nothing more. */
import type { History } from "./history.ts";
import { goesBack, type OperationStory, type Story, storyOf } from "./story.ts";

const GROUP = /^all(~\d+)?$/;

/** Two operations stand in different members of one `all`, and so in no order. */
function sideBySide(left: string, right: string): boolean {
  const [lefts, rights] = [left.split("/"), right.split("/")];
  const fork = lefts.findIndex((segment, index) => segment !== rights[index]);
  return fork > 0 && GROUP.test(lefts[fork - 1] ?? "");
}

/** An operation holds back the undo of an earlier one as long as it is under way, or its own undo is. */
function settledBy(at: number, { settledAt, undoIntendedAt, undoSettledAt }: OperationStory): boolean {
  if (settledAt === undefined || settledAt > at) return false;
  return undoIntendedAt === undefined || (undoSettledAt !== undefined && undoSettledAt < at);
}

export function undoneInReverse(history: History): readonly string[] {
  const story = storyOf(history);
  return [...inReverse(history, story), ...membersTogether(story), ...nothingStartsInFailedGroups(history, story)];
}

function inReverse(history: History, { operations }: Story): readonly string[] {
  return operations.flatMap((earlier, index) => {
    const [first] = earlier.undoCalls;
    if (first === undefined) return [];
    const at = history.happenings.indexOf(first);
    return operations
      .slice(index + 1)
      .filter((later) => later.intendedAt < at && !sideBySide(earlier.path, later.path) && !settledBy(at, later))
      .map((later) => `the undo of ${earlier.path} began before ${later.path}, which came after it, was settled`);
  });
}

/** The first undo of every member of a group that is taken back is ordered in one record. */
function membersTogether(story: Story): readonly string[] {
  const { operations, wentBack } = story;
  const groups = new Set(operations.flatMap(({ path }) => groupsAbove(path)));
  return [...groups].flatMap((group) => {
    const inner = wentBack.filter((scope) => scope.startsWith(`${group}/`));
    const firsts = new Map<string, number>();
    for (const { path, undoIntendedAt } of operations) {
      if (undoIntendedAt === undefined || !path.startsWith(`${group}/`) || inner.some((scope) => path.startsWith(`${scope}/`))) continue;
      const member = path.slice(group.length + 1).split("/")[0] ?? "";
      firsts.set(member, Math.min(firsts.get(member) ?? Number.POSITIVE_INFINITY, undoIntendedAt));
    }
    return new Set(firsts.values()).size > 1 ? [`members of ${group} were not undone side by side`] : [];
  });
}

function groupsAbove(path: string): readonly string[] {
  const segments = path.split("/");
  return segments.flatMap((segment, index) => (GROUP.test(segment) ? [segments.slice(0, index + 1).join("/")] : []));
}

/**
 * Once a member's failure is on the disk no other member begins, and once its writer knows that, none is attempted. Groups around it have not failed before it
 * has settled.
 */
function nothingStartsInFailedGroups(history: History, story: Story): readonly string[] {
  return story.operations.flatMap((failed) => {
    const { outcome, settledAt, path: failedPath } = failed;
    const group = groupsAbove(failedPath).at(-1);
    if (outcome === undefined || outcome._tag === "Succeeded" || settledAt === undefined || group === undefined) return [];
    if (isForward(failedPath) || failedPath.slice(group.length).includes("/savepoint")) return [];
    const known = acknowledgement(history, story, settledAt);
    return story.operations
      .filter(({ path }) => path.startsWith(`${group}/`))
      .flatMap(({ path, calls, intendedAt }) => [
        ...(intendedAt > settledAt ? [`${path} was begun after ${failedPath} had failed beside it`] : []),
        ...calls
          .filter((call) => call.slot === "action" && call.life === known.life && history.happenings.indexOf(call) > known.at)
          .filter((call) => !orderedByOperator(history, path, history.happenings.indexOf(call)))
          .map((call) => `attempt ${call.call} of ${path} was made after ${failedPath} had failed beside it`),
      ]);
  });
}

function acknowledgement({ happenings }: History, { records }: Story, committedAt: number): { readonly at: number; readonly life: number } {
  const committed = happenings[committedAt];
  const record = records.findIndex((one) => one === committed);
  const at = happenings.findIndex((one) => one._tag === "Acknowledged" && one.record === record);
  return { at: at === -1 ? Number.POSITIVE_INFINITY : at, life: committed?._tag === "Committed" ? committed.life : 0 };
}

/** An operator who has a stuck member attempted again knows what became of the group. */
function orderedByOperator({ happenings }: History, path: string, before: number): boolean {
  return happenings
    .slice(0, before)
    .some((one) => one._tag === "Committed" && one.entries.some((entry) => entry._tag === "OperatorRetried" && entry.path === path));
}

function isForward(path: string): boolean {
  return path.startsWith("complete/");
}

/** Nothing is undone whose scope did not fail, and nothing after the point of no return. */
export function nothingElseIsUndone(history: History): readonly string[] {
  const story = storyOf(history);
  return story.operations
    .filter((operation) => operation.undoCalls.length > 0 && !goesBack(story, operation))
    .map(({ path }) => `${path} was undone, though nothing failed around it`);
}
