/** The outbox: an event stands with its record or not at all, keeps its order and its bytes, and stays until it was published. */
import type { CaseGroup } from "./conformance-case.ts";
import { expectEqual, expectErr, expectOk } from "./expectations.ts";
import { event, pendingIds, request, startSaga } from "./requests.ts";

export const outboxCases: CaseGroup = {
  "outbox: events come with their record, as they were given": async ({ open }) => {
    const store = await open();
    const outbox = [event("a", 0, { subject: "order/17 '\"😀" }), event("a", 1), event("a", 2, { data: '{"text":"\\u0000 금액 100"}' })];
    expectOk(await store.append(request("a", 0, { outbox })), "a record with events is accepted");
    expectEqual(
      expectOk(await store.outbox.pending({ limit: 10 }), "the outbox can be read"),
      outbox,
      "events are not changed by the store",
    );
  },

  "outbox: events of a refused append do not exist": async ({ open }) => {
    const store = await open();
    await startSaga(store, "a", 1);
    const conflict = await store.append(request("a", 0, { outbox: [event("a", 0)] }));
    expectErr(conflict, { _tag: "SequenceConflict" }, "the place is taken");
    const stale = await store.append(request("a", 1, { epoch: 5, outbox: [event("a", 1)] }));
    expectErr(stale, { _tag: "StaleEpoch" }, "the epoch is not the current one");
    expectEqual(await pendingIds(store), [], "no event without its record");
    expectOk(await store.append(request("a", 1, { outbox: [event("a", 0)] })), "the id of an event that was never written is free");
    expectEqual(await pendingIds(store), [event("a", 0).id], "an event with its record");
  },

  "outbox: oldest first, over sagas and within a record": async ({ open }) => {
    const store = await open();
    const expected: string[] = [];
    for (const [place, sagaId] of ["z", "a", "m"].entries()) {
      const outbox = [event(sagaId, 9 - place), event(sagaId, 1)];
      expected.push(...outbox.map(({ id }) => id));
      expectOk(await store.append(request(sagaId, 0, { outbox })), "a record with events is accepted");
    }
    expectEqual(await pendingIds(store), expected, "events are listed in the order of their commits");
    expectEqual(await pendingIds(store, 4), expected.slice(0, 4), "`limit` takes the oldest");
    expectEqual(await pendingIds(store), expected, "listing removes nothing");
  },

  "outbox: appends that are under way together keep the order of their saga's events": async ({ open }) => {
    const store = await open();
    const places = Array.from({ length: 10 }, (_, place) => place);
    await Promise.all(places.map((place) => store.append(request("a", place, { outbox: [event("a", place)] }))));
    expectEqual(
      await pendingIds(store),
      places.map((place) => event("a", place).id),
      "events of one saga follow its records",
    );
  },

  "outbox: what was published is forgotten, and nothing else": async ({ open }) => {
    const store = await open();
    const outbox = [event("a", 0), event("a", 1), event("a", 2)];
    expectOk(await store.append(request("a", 0, { outbox })), "a record with events is accepted");
    expectOk(await store.outbox.published([event("a", 1).id, "unknown", 'it\'s "quoted"']), "unknown ids are ignored");
    expectEqual(await pendingIds(store), [event("a", 0).id, event("a", 2).id], "the published event is gone, the others stay");
    expectOk(await store.outbox.published([event("a", 1).id]), "publishing twice is no error");
    expectOk(await store.outbox.published([]), "nothing may be published");
    expectEqual(await pendingIds(store), [event("a", 0).id, event("a", 2).id], "and changes nothing");
    expectOk(await store.outbox.published(outbox.map(({ id }) => id)), "the rest is published");
    expectEqual(await pendingIds(store), [], "the outbox is empty");
  },

  "outbox: an event stays when its saga has ended": async ({ open }) => {
    const store = await open();
    expectOk(await store.append(request("a", 0, { status: "completed", outbox: [event("a", 0)] })), "a saga may end with an event");
    expectEqual(await pendingIds(store), [event("a", 0).id], "publishing does not depend on the saga");
  },
};
