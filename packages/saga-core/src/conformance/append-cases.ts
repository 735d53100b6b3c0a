/** What an append writes, and what `load` gives back. */
import { RECORD_CHARACTERS_MAX, type SagaStatus } from "../journal/journal-store.ts";
import type { CaseGroup } from "./conformance-case.ts";
import { ConformanceFailure, expectEqual, expectErr, expectOk } from "./expectations.ts";
import { event, loaded, loadedRecords, pendingIds, recordText, recordTexts, request, saga, startSaga } from "./requests.ts";

/** What JSON text may hold and storages like to bend: quotes, line ends, a byte-order mark, pairs of surrogates, forms that look alike. */
const AWKWARD_TEXT = "quote ' \" \\ line\r\n\u2028 mark \ufeff pair 😀 e\u0301 é %s $1 ?1 :name -- ;";

export const appendCases: CaseGroup = {
  "append: a saga that was started is loaded as it was written": async ({ open }) => {
    const store = await open();
    await startSaga(store, "a", 3);
    expectEqual(
      await loaded(store, "a"),
      { sagaId: "a", saga, status: "running", epoch: 1, claimsWithoutProgress: 0, records: recordTexts("a", 3) },
      "load gives what was appended",
    );
  },

  "append: records come back character by character": async ({ open }) => {
    const store = await open();
    expectOk(await store.append(request("a", 0, { record: AWKWARD_TEXT })), "a record may hold any well-formed text");
    expectOk(await store.append(request("a", 1, { record: "" })), "a record may be empty");
    expectEqual(await loadedRecords(store, "a"), [AWKWARD_TEXT, ""], "the store does not change a record");
  },

  "append: ids and names are compared exactly": async ({ open }) => {
    const store = await open();
    const sagaIds = ["order-1", "ORDER-1", "order-1 ", "order_1", "order%", `order:${AWKWARD_TEXT}`];
    for (const sagaId of sagaIds) expectOk(await store.append(request(sagaId, 0)), `${sagaId} is a saga of its own`);
    for (const sagaId of sagaIds) expectEqual(await loadedRecords(store, sagaId), [recordText(sagaId, 0)], "each saga has its own record");
  },

  "append: text that a storage cannot hold is refused, never bent": async ({ open }) => {
    const store = await open();
    for (const [name, record] of Object.entries({ surrogate: "half a pair: \ud83d", nul: "a raw \u0000" })) {
      const appended = await store.append(request(name, 0, { record }));
      if (appended.isErr()) expectErr(appended, { _tag: "StoreUnavailable" }, "the refusal is typed");
      expectEqual(await loadedRecords(store, name), appended.isOk() ? [record] : undefined, "it comes back unchanged, or was never there");
    }
  },

  "append: a record of the largest size fits": async ({ open }) => {
    const store = await open();
    const record = "금".repeat(RECORD_CHARACTERS_MAX);
    expectOk(await store.append(request("a", 0, { record })), `${RECORD_CHARACTERS_MAX} characters fit, whatever they are`);
    expectEqual((await loadedRecords(store, "a"))?.[0] === record, true, "the largest record comes back unchanged");
  },

  "append: a record above the largest size is refused whole and harms no other": async ({ open }) => {
    const store = await open();
    const record = "x".repeat(RECORD_CHARACTERS_MAX + 1);
    const [before, tooLarge, after] = await Promise.all([
      store.append(request("a", 0)),
      store.append(request("b", 0, { record, outbox: [event("b", 0)] })),
      store.append(request("c", 0)),
    ]);
    expectErr(tooLarge, { _tag: "StoreUnavailable" }, "a record above the bound is refused");
    expectOk(before, "an append called before it is accepted");
    expectOk(after, "an append called after it is accepted");
    expectEqual(await loaded(store, "b"), undefined, "nothing of the refused request is written");
    expectEqual(await pendingIds(store), [], "nor its events");
  },

  "append: each record moves the saga's status": async ({ open }) => {
    const store = await open();
    const statuses: readonly SagaStatus[] = ["running", "parked", "running", "waiting", "running", "completed"];
    for (const [sequence, status] of statuses.entries()) {
      expectOk(await store.append(request("a", sequence, { status })), `a record with status ${status} is accepted`);
      expectEqual((await loaded(store, "a"))?.status, status, "the status is that of the last record");
    }
    for (const status of ["compensated", "abandoned"] as const) {
      expectOk(await store.append(request(status, 0, { status })), `a saga may be ${status} with its first record`);
      expectEqual((await loaded(store, status))?.status, status, "the status is that of the last record");
    }
  },

  "load: a saga that was never started is undefined, and stays so": async ({ open }) => {
    const store = await open();
    expectEqual(await loaded(store, "nobody"), undefined, "an unknown saga is undefined");
    expectEqual(await loaded(store, "nobody"), undefined, "loading creates nothing");
  },

  "load: what was loaded does not change under later appends": async ({ open }) => {
    const store = await open();
    await startSaga(store, "a", 1);
    const before = await loaded(store, "a");
    expectOk(await store.append(request("a", 1, { status: "completed" })), "record 1 is accepted");
    expectEqual([before?.records.length, before?.status], [1, "running"], "a loaded journal is a copy");
  },

  "load: reading takes nothing over": async ({ open }) => {
    const store = await open();
    await startSaga(store, "a", 1);
    await loaded(store, "a");
    const journal = await loaded(store, "a");
    expectEqual([journal?.epoch, journal?.claimsWithoutProgress], [1, 0], "load leaves the epoch alone");
    expectOk(await store.append(request("a", 1)), "the owner goes on after a load");
  },

  "now: the store's clock tells epoch milliseconds": async ({ open }) => {
    const time = (await open()).now();
    if (!Number.isFinite(time) || time < 0) throw new ConformanceFailure("now() is a time in epoch milliseconds", "a number from 0", time);
  },
};
