/** Damage: a saga whose records are not what was written is reported as such, and no other saga is concerned. */
import type { CaseGroup } from "./conformance-case.ts";
import { expectEqual, expectErr, expectOk } from "./expectations.ts";
import { loadedRecords, recordTexts, request, startSaga } from "./requests.ts";

export const damageCases: CaseGroup = {
  "damage: a journal that was changed outside the store is corrupt, not silently another": async ({ open, corrupt }) => {
    const first = await open();
    await startSaga(first, "damaged", 3);
    await first.close();
    await corrupt("damaged");
    const second = await open();
    expectErr(await second.load("damaged"), { _tag: "JournalCorrupt", sagaId: "damaged" }, "load names the damage");
    expectErr(await second.claim("damaged"), { _tag: "JournalCorrupt", sagaId: "damaged" }, "so does claim");
  },

  "damage: other sagas go on": async ({ open, corrupt }) => {
    const first = await open();
    for (const sagaId of ["before", "damaged", "after"]) await startSaga(first, sagaId, 3);
    await first.close();
    await corrupt("damaged");
    const second = await open();
    for (const sagaId of ["before", "after"]) {
      expectEqual(await loadedRecords(second, sagaId), recordTexts(sagaId, 3), "a neighbour reads as it was written");
      expectEqual(expectOk(await second.claim(sagaId), "a neighbour can be claimed")?.epoch, 2, "a neighbour is taken over");
      expectOk(await second.append(request(sagaId, 3, { epoch: 2 })), "a neighbour moves");
    }
    const { sagaIds } = expectOk(await second.unfinished({ limit: 10 }), "unfinished sagas can be listed");
    expectEqual(sagaIds.toSorted(), ["after", "before", "damaged"], "a damaged saga is still known to be unfinished");
  },
};
