/** What people call the operations of a run: by their steps, and by their places only where a step stands in several. */
import { idempotencyKey } from "@backstep/saga-core/adapter";
import type { LogLine } from "./log.ts";

interface Operation {
  readonly path: string;
  readonly step: string;
}

const SLOT = /\/(action|compensation)(~\d+)?$/;

export class Names {
  /** By saga and path. */
  readonly #operations = new Map<string, Operation>();
  /** By key, without its slot and generation. */
  readonly #stems = new Map<string, Operation>();
  /** In how many places of a saga a step stands. */
  readonly #places = new Map<string, number>();
  readonly #locks = new Map<string, string>();
  readonly sagas = new Set<string>();
  readonly lives = new Set<number>();

  constructor(log: readonly LogLine[]) {
    for (const { sagaId, happening } of log) {
      if (sagaId !== undefined) this.sagas.add(sagaId);
      if ("life" in happening) this.lives.add(happening.life);
      if (happening._tag !== "Committed" || sagaId === undefined) continue;
      for (const entry of happening.entries) {
        if (entry._tag === "OperationIntended") this.#enter(sagaId, entry);
        if (entry._tag === "LockWanted") this.#locks.set(`${sagaId} ${entry.path}`, entry.name);
      }
    }
  }

  #enter(sagaId: string, { path, step }: Operation): void {
    const id = `${sagaId} ${path}`;
    if (this.#operations.has(id)) return;
    const operation = { path, step };
    this.#operations.set(id, operation);
    this.#stems.set(stemOf(idempotencyKey({ sagaId, path, slot: "action" })), operation);
    this.#places.set(`${sagaId} ${step}`, (this.#places.get(`${sagaId} ${step}`) ?? 0) + 1);
  }

  ofPath(sagaId: string | undefined, path: string): string {
    const operation = this.#operations.get(`${sagaId} ${path}`);
    return operation === undefined ? path : this.#nameOf(sagaId, operation);
  }

  ofKey(sagaId: string | undefined, key: string): string {
    const operation = this.#stems.get(stemOf(key));
    return operation === undefined ? lastOf(key) : this.#nameOf(sagaId, operation);
  }

  /** Who a step belongs to: what comes before the first dot of its name. */
  participantOf(key: string): string {
    const step = this.#stems.get(stemOf(key))?.step ?? lastOf(key);
    return step.split(".")[0] ?? step;
  }

  /** The name of an operation for where its participant is clear. */
  shortOf(sagaId: string | undefined, key: string): string {
    const [name, before] = [this.ofKey(sagaId, key), `${this.participantOf(key)}.`];
    return name.startsWith(before) ? name.slice(before.length) : name;
  }

  lockAt(sagaId: string | undefined, path: string): string {
    return this.#locks.get(`${sagaId} ${path}`) ?? path;
  }

  #nameOf(sagaId: string | undefined, { path, step }: Operation): string {
    if ((this.#places.get(`${sagaId} ${step}`) ?? 0) < 2) return step;
    const scopes = path.split("/").slice(1, -1).join("/");
    const nth = path.slice(path.lastIndexOf("/") + 1).replace(step, "");
    return `${step}${nth === "" ? "" : ` ${nth}`}${scopes === "" ? "" : ` (${scopes})`}`;
  }
}

/** What a key that no record has announced seems to name. */
function lastOf(key: string): string {
  const stem = stemOf(key);
  return stem.slice(stem.lastIndexOf("/") + 1);
}

function stemOf(key: string): string {
  return key.replace(SLOT, "");
}
