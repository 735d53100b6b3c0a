// Goal: sagas beside each other keep to their locks and their event ids, and are found out where they do not. Method: commits of two sagas, made by hand.
import type { Entry } from "@backstep/saga-core/engine";
import { describe, expect, test } from "vitest";
import { type Committed, judgeTogether, RUN_LAWS } from "../../src/laws.ts";
import { committed } from "./hand-made.ts";

type Commit = Committed & { readonly sagaId: string };

const commit = (sagaId: string, status: Committed["status"], ...entries: readonly Entry[]): Commit => ({
  ...committed(sagaId, entries, status),
  sagaId,
});
const wanted = (name: string, path = "run/lock"): Entry => ({ _tag: "LockWanted", path, name, until: 9, at: 1 });
const granted = (path = "run/lock"): Entry => ({ _tag: "LockGranted", path, at: 2 });
const refused = (lockedBy: string): Entry => ({ _tag: "LockRefused", path: "run/lock", lockedBy, at: 2 });
const left: Entry = { _tag: "WaitLeft", path: "run/lock", at: 2 };
const over: Entry = { _tag: "SagaCompleted", at: 3 };
const told: Entry = { _tag: "EventEmitted", path: "complete/emit", type: "Told", at: 3 };

const broken = (...commits: readonly Commit[]) => judgeTogether({ histories: [], commits }).map(({ law, message }) => `${law}: ${message}`);

describe("locks", () => {
  test("pass from one saga to the next when the first ends", () => {
    expect(
      broken(
        commit("a", "running", wanted("room")),
        commit("a", "running", granted()),
        commit("b", "running", wanted("room")),
        commit("a", "completed", over),
        commit("b", "running", granted()),
      ),
    ).toEqual([]);
  });

  test.each(["running", "parked", "waiting"] as const)("are not granted while a saga that is %s holds them", (status) => {
    expect(
      broken(
        commit("a", "running", wanted("room")),
        commit("b", "running", wanted("room")),
        commit("a", status, granted()),
        commit("b", "running", granted()),
      ),
    ).toEqual(["lock: b was granted room while a held it"]);
  });

  test("of other names are no matter", () => {
    expect(
      broken(commit("a", "running", wanted("room")), commit("a", "running", granted()), commit("b", "running", wanted("car"), granted())),
    ).toEqual([]);
  });

  test("may be held twice by one saga", () => {
    expect(broken(commit("a", "running", wanted("room"), wanted("room", "run/lock~2"), granted(), granted("run/lock~2")))).toEqual([]);
  });

  test("are granted to nobody who did not ask, or asks no longer", () => {
    expect(broken(commit("a", "running", granted()))).toEqual(["lock: a was answered at run/lock for a lock that it did not want there"]);
    expect(broken(commit("a", "running", wanted("room"), left, granted()))).toHaveLength(1);
    expect(broken(commit("a", "running", wanted("room"), granted(), granted()))).toHaveLength(1);
  });

  test("are refused for one who asked for them, who may not have heard of it yet", () => {
    const asks = commit("a", "running", wanted("room"));
    expect(broken(asks, commit("b", "running", wanted("room"), refused("a")))).toEqual([]);
    expect(broken(asks, commit("b", "running", wanted("room"), refused("c")))).toEqual([
      "lock: b was refused room for c, which never asked for it",
    ]);
  });
});

describe("events", () => {
  test("have ids of their own", () => {
    expect(broken(commit("a", "completed", told), commit("b", "completed", told))).toEqual([]);
  });

  test("are not committed twice", () => {
    const once = commit("a", "completed", told);
    expect(broken(once, once)).toEqual(["event id: event a/complete/emit was committed twice"]);
  });

  test("name their saga", () => {
    const { outbox } = commit("a", "completed", told);
    expect(broken({ ...commit("b", "completed", over), outbox })).toEqual(["event id: event a/complete/emit of b names a"]);
  });
});

test("a violation says what the law says", () => {
  const [violation] = judgeTogether({ histories: [], commits: [commit("a", "running", granted())] });
  expect(violation).toMatchObject({ law: RUN_LAWS[0].name, says: RUN_LAWS[0].says });
});
