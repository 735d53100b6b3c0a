/** Stores that break a rule of workers: whose a saga is, for how long, and what is left to others. */
import { err, ok } from "neverthrow";
import { alteredShared, type BrokenStore } from "./broken-store.ts";

const NEVER = { _tag: "StoreUnavailable", message: "never" } as const;

export const brokenWorkers: readonly BrokenStore[] = [
  {
    rule: "gives every saga to whoever claims it",
    open: alteredShared(({ claim }, _workers, disk) => ({
      claim: (sagaId, options) => {
        Object.assign(disk.sagas.get(sagaId) ?? {}, { driver: undefined });
        return claim(sagaId, options);
      },
    })),
    noticedBy: [
      "workers: a saga whose worker has a lease is not claimed by another one",
      "workers: who wants a saga is heard by the one that drives it, until that one lets go",
      "workers: a lease that was renewed in time goes on",
      "workers: whoever claims a saga drives it",
      "workers: of rivals for one orphan, one worker gets it",
      "workers: sagas that are let go of are anybody's",
      "workers: a record after which its saga leaves lets go of it",
      "reopen: leases outlive the store that took them",
    ],
  },
  {
    rule: "tells nobody that a saga is wanted",
    open: alteredShared(({ claim }) => ({ claim: (sagaId) => claim(sagaId) })),
    noticedBy: ["workers: who wants a saga is heard by the one that drives it, until that one lets go"],
  },
  {
    rule: "goes on wanting what has ended",
    open: alteredShared(({ append, due }, _workers, disk) => {
      const ended: string[] = [];
      return {
        append: (request) => {
          if (request.status === "completed" && disk.sagas.get(request.sagaId)?.wanted === true) ended.push(request.sagaId);
          return append(request);
        },
        due: async (options) => (await due(options)).map((found) => (ended.length === 0 ? found : { ...found, wanted: ended })),
      };
    }),
    noticedBy: ["workers: nobody wants what has ended, or what nobody drives"],
  },
  {
    rule: "raises the epoch of a saga that it refuses",
    open: alteredShared(({ claim }, _workers, disk) => ({
      claim: async (sagaId, options) => {
        const claimed = await claim(sagaId, options);
        const stored = disk.sagas.get(sagaId);
        if (claimed.isErr() && stored !== undefined) stored.epoch += 1;
        return claimed;
      },
    })),
    noticedBy: ["workers: a saga whose worker has a lease is not claimed by another one"],
  },
  {
    rule: "refuses a worker its own sagas",
    open: alteredShared(({ claim, now }, _workers, disk) => ({
      claim: async (sagaId, options) => {
        const until = disk.leases.get(disk.sagas.get(sagaId)?.driver ?? 0) ?? 0;
        return until > now() ? err({ _tag: "SagaDriven", sagaId, until } as const) : claim(sagaId, options);
      },
    })),
    noticedBy: ["workers: a worker may claim its own sagas again"],
  },
  {
    rule: "takes a lease for one that never ends",
    open: alteredShared((_store, { renew }) => ({ workers: { renew: () => renew(Number.MAX_SAFE_INTEGER / 2) } })),
    noticedBy: [
      "workers: a lease runs from now on the store's clock, and anew when it is renewed",
      "workers: without a lease a saga is anybody's",
    ],
  },
  {
    rule: "renews no lease",
    open: alteredShared((_store, { renew }) => {
      let first: ReturnType<typeof renew> | undefined;
      return { workers: { renew: (leaseMs) => (first ??= renew(leaseMs)) } };
    }),
    noticedBy: [
      "workers: a lease runs from now on the store's clock, and anew when it is renewed",
      "workers: a lease that was renewed in time goes on",
    ],
  },
  {
    rule: "keeps the sagas of a worker that left",
    open: alteredShared(() => ({ workers: { leave: () => Promise.resolve(ok()) } })),
    noticedBy: [
      "workers: who leaves leaves its sagas to the others",
      "workers: a lease is one for all sagas of a worker, and no other's",
      "workers: what another worker drives is not due here",
    ],
  },
  {
    rule: "ends all leases when one worker leaves",
    open: alteredShared((_store, { leave }, disk) => ({
      workers: {
        leave() {
          disk.leases.clear();
          return leave();
        },
      },
    })),
    noticedBy: ["workers: a lease is one for all sagas of a worker, and no other's"],
  },
  {
    rule: "keeps the lease of a store that is closed",
    open: alteredShared((_store, { renew }) => ({ workers: { renew }, close: () => Promise.resolve() })),
    noticedBy: ["workers: a store that is closed has left"],
  },
  {
    rule: "lets go of nothing",
    open: alteredShared(() => ({ workers: { release: () => Promise.resolve(ok()) } })),
    noticedBy: ["workers: sagas that are let go of are anybody's"],
  },
  {
    rule: "lets go of what another worker drives",
    open: alteredShared((_store, _workers, disk) => ({
      workers: {
        release(sagaIds) {
          for (const sagaId of sagaIds) Object.assign(disk.sagas.get(sagaId) ?? {}, { driver: undefined });
          return Promise.resolve(ok());
        },
      },
    })),
    noticedBy: ["workers: sagas that are let go of are anybody's"],
  },
  {
    rule: "drives on what has left",
    open: alteredShared(({ append }) => ({ append: (request) => append({ ...request, leaves: false }) })),
    noticedBy: [
      "workers: a record after which its saga leaves lets go of it",
      "workers: orphans are running, and driven by nobody",
      "workers: what another worker drives is not due here",
    ],
  },
  {
    rule: "drives what has ended",
    open: alteredShared(({ append }, _workers, disk) => ({
      append: async (request) => {
        const driver = disk.sagas.get(request.sagaId)?.driver;
        const appended = await append(request);
        if (request.status === "completed") Object.assign(disk.sagas.get(request.sagaId) ?? {}, { driver });
        return appended;
      },
    })),
    noticedBy: ["workers: nobody drives a saga that has ended"],
  },
  {
    rule: "takes whatever nobody drives for an orphan",
    open: alteredShared((_store, _workers, disk) => ({
      workers: {
        orphans: () =>
          Promise.resolve(
            ok({ orphans: [...disk.sagas].flatMap(([sagaId, { saga, driver }]) => (driver === undefined ? [{ sagaId, saga }] : [])) }),
          ),
      },
    })),
    noticedBy: ["workers: orphans are running, and driven by nobody", "workers: orphans come oldest first, with their names, in pages"],
  },
  {
    rule: "shows what another worker drives as due",
    open: alteredShared((_store, _workers, disk) => ({
      due: ({ until }) =>
        Promise.resolve(
          ok({ sagaIds: [...disk.sagas].flatMap(([sagaId, { wakeAt }]) => (wakeAt !== undefined && wakeAt <= until ? [sagaId] : [])) }),
        ),
    })),
    noticedBy: [
      "workers: what another worker drives is not due here",
      "workers: a lock that is let go of here makes a saga due that is driven there",
    ],
  },
  {
    rule: "grants no lease",
    open: alteredShared(() => ({ workers: { renew: () => Promise.resolve(err(NEVER)) } })),
    noticedBy: ["workers: a lease runs from now on the store's clock, and anew when it is renewed"],
  },
];
