/** Reads sagas for those who wait or look: from the live instance where there is one, else from the journal. Changes nothing. */
import { err, ok, type Result } from "neverthrow";
import { match } from "ts-pattern";
import type { Quarantine, SagaParked } from "../errors/parked.ts";
import type { SagaEnding, SagaNotFound, SagaUnavailable } from "../errors/saga-error.ts";
import type { Entry } from "../journal/entry.ts";
import type { SagaStatus, StoredJournal } from "../journal/journal-store.ts";
import { type SagaView, statusOf, viewOf } from "../journal/saga-view.ts";
import { createAbortController } from "../primitives/host.ts";
import { type SagaHost, unavailable } from "./saga-host.ts";
import { decodeJournal } from "./saga-journal.ts";
import { type AnySagaResult, endedResult, parkedError } from "./saga-result.ts";

/** How soon an unfinished saga that is not live here is looked at again, in milliseconds: doubled each time, for one may sleep for weeks. */
const POLL_MS = 100;
const POLL_MS_MAX = 60_000;
/** Another worker may end it at any moment. */
const SHARED_POLL_MS_MAX = 1_000;
const PARKED_PAGE_SAGAS = 200;
const UNREAD = { name: "", version: 0 } as const;

/** A saga as an operator or a status page sees it. */
export interface SagaSnapshot {
  readonly sagaId: string;
  /** Name "" and version 0 where the journal is so damaged that it does not even tell. */
  readonly saga: { readonly name: string; readonly version: number };
  readonly status: SagaStatus;
  readonly view: SagaView;
  /** Why no definition here can drive it. Present only then, and then `status` is `parked`. */
  readonly quarantine?: Quarantine | undefined;
}

export type Read =
  | { readonly _tag: "Readable"; readonly journal: StoredJournal; readonly entries: readonly Entry[]; readonly view: SagaView }
  | { readonly _tag: "Unreadable"; readonly quarantine: Quarantine; readonly journal?: StoredJournal | undefined };

export async function readSaga(host: SagaHost, sagaId: string): Promise<Result<Read, SagaNotFound | SagaUnavailable>> {
  const loaded = await host.ports.store.load(sagaId);
  if (loaded.isErr()) {
    const { error } = loaded;
    if (error._tag === "StoreUnavailable") return err(unavailable(sagaId, error.message));
    return ok({ _tag: "Unreadable", quarantine: { _tag: "JournalCorrupt", message: error.message } });
  }
  const journal = loaded.value;
  if (journal === undefined) return err({ _tag: "SagaNotFound", sagaId });
  return ok(
    decodeJournal(journal).match<Read>(
      (entries) => ({ _tag: "Readable", journal, entries, view: viewOf(entries) }),
      (quarantine) => ({ _tag: "Unreadable", quarantine, journal }),
    ),
  );
}

/** The erased result of a saga, once it has ended or is parked. */
export async function awaitResult<Output, Failure>(
  host: SagaHost,
  sagaId: string,
): Promise<Result<Output, Failure | SagaEnding | SagaNotFound | SagaUnavailable>> {
  const pollMsMax = host.shared ? SHARED_POLL_MS_MAX : POLL_MS_MAX;
  for (let pollMs = POLL_MS; ; pollMs = Math.min(pollMs * 2, pollMsMax)) {
    const live = host.live(sagaId);
    if (live !== undefined) pollMs = POLL_MS;
    const end = await live?.ended;
    // What was written here need not be read again.
    if (end?._tag === "Rested" && end.ending !== undefined) return endedResult(sagaId, end.ending, undefined) as Result<Output, Failure>;
    const read = await readSaga(host, sagaId);
    const answer = read.match(
      (found) => answerOf(host, sagaId, found),
      (error) => err(error) as AnySagaResult,
    );
    // The one place where a journaled answer takes its declared type again.
    if (answer !== undefined) return answer as Result<Output, Failure>;
    if (host.closed) return err(unavailable(sagaId, "the engine was closed while the saga ran; ask the next one"));
    if (host.live(sagaId) !== undefined) continue;
    await comeAlive(host, sagaId, pollMs);
    // Another engine may have made it due, handed it a lock for example, and died before it could wake it.
    if (host.live(sagaId) === undefined) host.lookForDue();
  }
}

/** Waits until the saga is in memory here, or a while. */
async function comeAlive(host: SagaHost, sagaId: string, delayMs: number): Promise<void> {
  const seen = createAbortController();
  const unwatch = host.watch(sagaId, () => seen.abort());
  await host.ports.timer.sleep(delayMs, seen.signal);
  unwatch();
}

function answerOf(host: SagaHost, sagaId: string, read: Read): AnySagaResult | undefined {
  if (read._tag === "Unreadable") return err(parkedError(sagaId, undefined, read.quarantine));
  const { view, journal } = read;
  if (view.ending !== undefined) return endedResult(sagaId, view.ending, view.cause);
  if (host.live(sagaId) !== undefined) return undefined;
  const quarantine = host.quarantineNow(journal);
  return quarantine !== undefined || statusIn(journal, view) === "parked" ? err(parkedError(sagaId, view, quarantine)) : undefined;
}

/** The fold runs no body, so it takes for parked what is about to be undone instead; the status beside the last record is the machine's own. */
export function statusIn(journal: StoredJournal, view: SagaView): SagaStatus {
  return view.ending === undefined ? journal.status : statusOf(view);
}

export async function inspectSaga(host: SagaHost, sagaId: string): Promise<Result<SagaSnapshot, SagaNotFound | SagaUnavailable>> {
  const read = await readSaga(host, sagaId);
  return read.andThen(
    (found): Result<SagaSnapshot, SagaUnavailable> =>
      match(found)
        .with({ _tag: "Readable" }, ({ journal, view }) => {
          const quarantine = view.ending === undefined ? host.quarantineNow(journal) : undefined;
          return ok({
            sagaId,
            saga: journal.saga,
            status: quarantine === undefined ? statusIn(journal, view) : "parked",
            view,
            quarantine,
          } as const);
        })
        .with({ _tag: "Unreadable" }, ({ quarantine, journal }) =>
          // Its owner, if that is this engine, goes on whatever the store can read.
          journal === undefined && host.live(sagaId) !== undefined
            ? err(unavailable(sagaId, quarantine.message))
            : ok({ sagaId, saga: journal?.saga ?? UNREAD, status: "parked", view: viewOf([]), quarantine } as const),
        )
        .exhaustive(),
  );
}

export async function listParked(host: SagaHost): Promise<Result<readonly SagaParked[], SagaUnavailable>> {
  const parked: SagaParked[] = [];
  const seen = new Set<string>();
  const look = async (sagaId: string): Promise<void> => {
    seen.add(sagaId);
    const read = await readSaga(host, sagaId);
    const answer = read.isOk() ? answerOf(host, sagaId, read.value) : undefined;
    if (answer?.isErr() === true && answer.error._tag === "SagaParked") parked.push(answer.error as SagaParked);
  };
  let after: string | undefined;
  do {
    const page = await host.ports.store.unfinished({ limit: PARKED_PAGE_SAGAS, after });
    if (page.isErr()) return err(unavailable("", page.error.message));
    for (const sagaId of page.value.sagaIds) await look(sagaId);
    after = page.value.next;
  } while (after !== undefined);
  // The store has for waiting what nobody could take up when its time came.
  for (const sagaId of host.quarantined) if (!seen.has(sagaId)) await look(sagaId);
  return ok(parked);
}
