/** I11 and liveness: effects happen once and never after their undo; and every saga gets somewhere. */
import type { History } from "./history.ts";
import { standing, storyOf } from "./story.ts";

/** I11: an action takes effect at most once and is taken back at most once; nothing takes effect after its undo was acknowledged. */
export function effectsAtMostOnce(history: History): readonly string[] {
  const { operations, told } = storyOf(history);
  return operations.flatMap((operation) => {
    const { path, appliedAt, takenBackAt, undoCalls } = operation;
    let closedAt = Math.min(...takenBackAt, Number.POSITIVE_INFINITY);
    for (const { item } of undoCalls) {
      const answer = told.get(item.call);
      if (answer?.told === "Succeeded") closedAt = Math.min(closedAt, answer.at);
    }
    return [
      ...(appliedAt.length > 1 ? [`${path} took effect ${appliedAt.length} times`] : []),
      ...(takenBackAt.length > 1 ? [`${path} was taken back ${takenBackAt.length} times`] : []),
      ...(standing(operation) < 0 ? [`${path} was taken back without having taken effect`] : []),
      ...(appliedAt.some((at) => at > closedAt) ? [`${path} took effect after its undo`] : []),
    ];
  });
}

/** Once trouble stops, a saga ends or waits parked; and one whose operator repeats what is stuck ends. */
export function everySagaGetsSomewhere({ answer, repeated }: History): readonly string[] {
  if (answer._tag === "Stuck") return ["nothing moves any more, and the saga has neither ended nor parked"];
  return repeated && answer._tag === "Failed" && answer.error._tag === "SagaParked" ? ["parked for ever, though its operator repeats"] : [];
}
