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
  return [...inReverse(story), ...membersTogether(story), ...nothingStartsInFailedGroups(history, story)];
}

function inReverse({ operations }: Story): readonly string[] {
  const violations: string[] = [];
  for (const [index, earlier] of operations.entries()) {
    const at = earlier.undoCalls[0]?.at;
    if (at === undefined) continue;
    for (const later of operations.slice(index + 1)) {
      if (later.intendedAt < at && !settledBy(at, later) && !sideBySide(earlier.path, later.path))
        violations.push(`the undo of ${earlier.path} began before ${later.path}, which came after it, was settled`);
    }
  }
  return violations;
}

/** The first undo of every member of a group that is taken back is ordered in one record. */
function membersTogether({ operations, wentBack }: Story): readonly string[] {
  if (wentBack.size === 0) return [];
  const undone = operations.filter(({ undoIntendedAt }) => undoIntendedAt !== undefined);
  const groups = new Set(undone.flatMap(({ path }) => groupsAbove(path)));
  return [...groups].flatMap((group) => {
    const inner = [...wentBack].filter((scope) => scope.startsWith(`${group}/`));
    const firsts = new Map<string, number>();
    for (const { path, undoIntendedAt = 0 } of undone) {
      if (!path.startsWith(`${group}/`) || inner.some((scope) => path.startsWith(`${scope}/`))) continue;
      const member = path.slice(group.length + 1).split("/")[0] ?? "";
      firsts.set(member, Math.min(firsts.get(member) ?? Number.POSITIVE_INFINITY, undoIntendedAt));
    }
    return new Set(firsts.values()).size > 1 ? [`members of ${group} were not undone side by side`] : [];
  });
}

function groupsAbove(path: string): readonly string[] {
  if (!path.includes("/all")) return [];
  const segments = path.split("/");
  return segments.flatMap((segment, index) => (GROUP.test(segment) ? [segments.slice(0, index + 1).join("/")] : []));
}

/**
 * Once a member's failure is on the disk no other member begins, and once its writer knows that, none is attempted. Groups around it have not failed before it
 * has settled.
 */
function nothingStartsInFailedGroups({ happenings }: History, story: Story): readonly string[] {
  return story.operations.flatMap((failed) => {
    const { outcome, settledAt, path: failedPath } = failed;
    if (outcome === undefined || outcome._tag === "Succeeded" || settledAt === undefined || isForward(failedPath)) return [];
    const group = groupsAbove(failedPath).at(-1);
    if (group === undefined || failedPath.slice(group.length).includes("/savepoint")) return [];
    const committed = happenings[settledAt];
    const writer = committed?._tag === "Committed" ? committed.life : 0;
    const knownAt = story.heardAt.get(settledAt) ?? Number.POSITIVE_INFINITY;
    return story.operations
      .filter(({ path }) => path.startsWith(`${group}/`))
      .flatMap(({ path, calls, intendedAt, retriedAt }) => [
        ...(intendedAt > settledAt ? [`${path} was begun after ${failedPath} had failed beside it`] : []),
        ...calls
          .filter(({ at, item }) => item.slot === "action" && item.life === writer && at > knownAt)
          // An operator who has a stuck member attempted again knows what became of the group.
          .filter(({ at }) => !retriedAt.some((retried) => retried < at))
          .map(({ item }) => `attempt ${item.call} of ${path} was made after ${failedPath} had failed beside it`),
      ]);
  });
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
