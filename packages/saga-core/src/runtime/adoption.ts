/**
 * Taking a saga over from its journal: claim (which fences the previous owner), replay, go on. Owns what can stand in the way: an unknown saga, a corrupt
 * journal, a definition that decides otherwise, a saga that brings every owner down. Those are quarantined, found anew at each adoption, and harm no other.
 */

import { err, ok, type Result } from "neverthrow";
import type { SagaDefinition } from "../definition/saga-definition.ts";
import { createMachine, type Step } from "../engine/machine.ts";
import { ReplayDiverged } from "../engine/replay-diverged.ts";
import type { Quarantine } from "../errors/parked.ts";
import type { Entry } from "../journal/entry.ts";
import type { ClaimError, SagaDriven, StoredJournal } from "../journal/journal-store.ts";
import type { StoreUnavailable } from "../journal/store-unavailable.ts";
import type { Json } from "../primitives/json.ts";
import { messageOf } from "../primitives/thrown.ts";
import { type InstancePorts, SagaInstance } from "./instance.ts";
import type { Registry } from "./registry.ts";
import { decodeJournal } from "./saga-journal.ts";

/** How soon it is looked whether a saga has been handed over, doubled each time; and how long it is waited for. In milliseconds. */
const HAND_OVER_LOOK_MS = 20;
const HAND_OVER_LOOK_MS_MAX = 500;
const HAND_OVER_MS_MAX = 30_000;

export type Adopted =
  | {
      readonly _tag: "Adopted";
      readonly instance: SagaInstance;
      readonly step: Step;
      readonly definition: SagaDefinition;
      readonly input: Json | undefined;
      readonly epoch: number;
      /** How many were replayed. */
      readonly entries: number;
    }
  /** `epoch`: as it stands in the store; unknown of a journal that cannot be read. */
  | { readonly _tag: "Quarantined"; readonly quarantine: Quarantine; readonly epoch: number | undefined }
  | { readonly _tag: "NoSuchSaga" };

/** How often a saga may be adopted without a single append in between before it counts as one that brings its owners down. */
export const CLAIMS_WITHOUT_PROGRESS_MAX = 50;

export interface AdoptOptions {
  /** However often it was adopted in vain. */
  readonly force?: boolean | undefined;
  /** Tell another worker that drives it to hand it over. */
  readonly want?: boolean | undefined;
}

export async function adopt(
  ports: InstancePorts,
  registry: Registry,
  sagaId: string,
  { force = false, want = false }: AdoptOptions = {},
): Promise<Result<Adopted, StoreUnavailable | SagaDriven>> {
  const claimed = await (want ? claimWanted(ports, sagaId) : ports.store.claim(sagaId));
  if (claimed.isErr()) {
    const { error } = claimed;
    return error._tag === "JournalCorrupt" ? ok(quarantined("JournalCorrupt", error.message, undefined)) : err(error);
  }
  const journal = claimed.value;
  if (journal === undefined) return ok({ _tag: "NoSuchSaga" });
  if (!force && journal.claimsWithoutProgress > CLAIMS_WITHOUT_PROGRESS_MAX) {
    return ok(quarantined("NoProgress", `adopted ${journal.claimsWithoutProgress} times without a single entry`, journal.epoch));
  }
  const entries = decodeJournal(journal);
  if (entries.isErr()) return ok({ _tag: "Quarantined", quarantine: entries.error, epoch: journal.epoch });
  return ok(replay(ports, registry, journal, entries.value));
}

/** Claims a saga that another worker may drive, which is then told to hand it over, and given the time of an attempt in flight for it. */
export async function claimWanted(
  { store, timer }: Pick<InstancePorts, "store" | "timer">,
  sagaId: string,
): Promise<Result<StoredJournal | undefined, ClaimError>> {
  for (let [waitedMs, lookMs] = [0, HAND_OVER_LOOK_MS]; ; waitedMs += lookMs, lookMs = Math.min(2 * lookMs, HAND_OVER_LOOK_MS_MAX)) {
    const claimed = await store.claim(sagaId, { want: true });
    const isDriven = claimed.isErr() && claimed.error._tag === "SagaDriven";
    if (!isDriven || waitedMs >= HAND_OVER_MS_MAX) return claimed;
    await timer.sleep(lookMs);
  }
}

function replay(ports: InstancePorts, registry: Registry, journal: StoredJournal, entries: readonly Entry[]): Adopted {
  const { sagaId, saga, epoch, records, status } = journal;
  const definition = registry.get(saga);
  if (definition === undefined) return { _tag: "Quarantined", quarantine: unknownSaga(saga), epoch };
  const machine = createMachine(definition, sagaId);
  try {
    const replayed = machine.replay(entries);
    // Written before a saga that waits for a lock could leave memory, the journal does not say when to wake it: it stays until a record does.
    const unsaid = status === "running" && replayed.status === "waiting" && replayed.entries.length === 0;
    const step: Step = unsaid ? { ...replayed, status } : replayed;
    const instance = new SagaInstance(ports, machine, { sagaId, saga, epoch, sequence: records.length });
    const input = entries[0]?._tag === "SagaStarted" ? entries[0].input : undefined;
    return { _tag: "Adopted", instance, step, definition, input, epoch, entries: entries.length };
  } catch (thrown) {
    // I12: whatever else a replay runs into is this saga's trouble, and no other's.
    return { _tag: "Quarantined", quarantine: quarantineOf(saga, thrown), epoch };
  }
}

export function unknownSaga({ name, version }: StoredJournal["saga"]): Quarantine {
  return { _tag: "UnknownSaga", message: `no definition of saga ${name} version ${version} is registered with this engine` };
}

export function quarantineOf({ name, version }: StoredJournal["saga"], thrown: unknown): Quarantine {
  const message = `saga ${name} version ${version}: ${messageOf(thrown)}`;
  return thrown instanceof ReplayDiverged
    ? { _tag: "ReplayDiverged", message, divergence: thrown.divergence }
    : { _tag: "BodyFailed", message };
}

function quarantined(tag: Quarantine["_tag"], message: string, epoch: number | undefined): Adopted {
  return { _tag: "Quarantined", quarantine: { _tag: tag, message }, epoch };
}
