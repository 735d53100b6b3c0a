/** Which sagas an engine has in memory, as far as its observer is told. */
import type { SagaNotice } from "../../src/index.ts";

export function inMemory() {
  const sagaIds = new Set<string>();
  const adoptions: string[] = [];
  let most = 0;
  const observer = (notice: SagaNotice): void => {
    const begins = notice._tag === "EntryAppended" && notice.entry._tag === "SagaStarted";
    if (notice._tag === "SagaLeft") sagaIds.delete(notice.sagaId);
    if (notice._tag === "SagaAdopted") adoptions.push(notice.sagaId);
    if (begins || notice._tag === "SagaAdopted") sagaIds.add(notice.sagaId);
    most = Math.max(most, sagaIds.size);
  };
  return {
    observer,
    adoptions,
    now: (): readonly string[] => [...sagaIds],
    /** Since it was asked last. */
    most(): number {
      const answer = most;
      most = sagaIds.size;
      return answer;
    },
  };
}
