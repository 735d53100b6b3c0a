/**
 * A domain service as a host runs it, without HTTP: inputs and answers pass the contract's schemas, commands and undos pass the fence,
 * all on one database with a clock that stands still until it is moved. Tests of all six domains stand on it.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type {
  AnyService,
  Command,
  Contract,
  Foreign,
  InputOf,
  Operation,
  OutputOf,
  Query,
  RejectionOf,
  Service,
  Undo,
} from "@backstep/contract";
import {
  type ActAnswer,
  createFence,
  createMemoryDatabase,
  type Database,
  type Fence,
  type ForeignAction,
  type ForeignUndo,
  type Transaction,
  type UndoAnswer,
} from "@backstep/participant";
import { createSqliteDatabase } from "@backstep/participant/sqlite";
import { openOnPostgres } from "./postgres.ts";

type Named<Any extends Contract, Kind extends Operation> = {
  [Name in keyof Any["operations"]]: Any["operations"][Name] extends Kind ? Name : never;
}[keyof Any["operations"]] &
  string;

type Answered<Any extends Operation> =
  | { readonly _tag: "Succeeded"; readonly output: OutputOf<Any>; readonly replayed: boolean }
  | { readonly _tag: "Rejected"; readonly rejection: RejectionOf<Any>; readonly replayed: boolean }
  | { readonly _tag: Exclude<ActAnswer["_tag"], "Executed" | "Replayed"> };

export interface Rig<Any extends Contract> {
  readonly database: Database;
  readonly fence: Fence;
  readonly clock: Clock;
  /** Runs a command behind the fence. The key names the saga, too: it is the part before the slash. */
  act<Name extends Named<Any, Command>>(
    name: Name,
    input: InputOf<Any["operations"][Name]>,
    key?: string,
  ): Promise<Answered<Any["operations"][Name]>>;
  /** The output of a command that is expected to succeed; anything else throws. */
  do<Name extends Named<Any, Command>>(
    name: Name,
    input: InputOf<Any["operations"][Name]>,
    key?: string,
  ): Promise<OutputOf<Any["operations"][Name]>>;
  /** Takes back what `undoes` names, under the key `<undoes>-undo`, and tells what the fence said. */
  undo<Name extends Named<Any, Undo>>(
    name: Name,
    input: InputOf<Any["operations"][Name]>,
    undoes: string,
    told?: Told,
  ): Promise<UndoAnswer>;
  ask<Name extends Named<Any, Query>>(name: Name, input: InputOf<Any["operations"][Name]>): ReturnType<Service<Any, Transaction>[Name]>;
  close(): Promise<void>;
}

/** What an orchestrator tells with an undo. */
export interface Told {
  /** Of the action. Default: in doubt. */
  readonly known?: "succeeded" | "inDoubt" | undefined;
  readonly cause?: string | undefined;
}

interface Clock {
  now: number;
}

export const STORAGES = ["memory", "sqlite", "postgres"] as const;

/** A year: longer than any test lets pass, unless it means to. */
export const RETENTION_MS = 365 * 24 * 60 * 60 * 1_000;

export async function openRig<Any extends Contract>(
  contract: Any,
  service: AnyService<Any, Transaction>,
  storage: (typeof STORAGES)[number],
): Promise<Rig<Any>> {
  const clock: Clock = { now: Date.parse("2026-03-01T00:00:00Z") };
  const { database, remove } = await openDatabase(storage, clock);
  const fence = createFence({ database, retentionMs: RETENTION_MS });
  let calls = 0;

  // Looked up by names whose kind the signatures above have checked.
  const handlers = service as unknown as Record<string, Handler | AnyForeign>;
  const operationOf = (name: string): Operation => contract.operations[name] as Operation;
  const handlerOf = (name: string): Handler => handlers[name] as Handler;
  /** What a foreign operation is made of; `undefined` for one that is done by a function. */
  const partsOf = (name: string, input: unknown): unknown => {
    const handler = handlers[name];
    return typeof handler === "object" ? handler.partsFor(input) : undefined;
  };

  async function act(name: string, given: unknown, key = `client-${++calls}`): Promise<Answered<Operation>> {
    const operation = operationOf(name);
    const input = operation.input.parse(given);
    const fenced = { key, name, input, issuedAt: clock.now, sagaId: sagaIdOf(key) };
    const foreign = partsOf(name, input) as ForeignAction<unknown, unknown> | undefined;
    if (foreign !== undefined) return answered(operation, await fence.intend(fenced, foreign));
    return answered(operation, await fence.act(fenced, (context) => handlerOf(name)(context, input)));
  }

  const rig = {
    database,
    fence,
    clock,
    act,
    async do(name: string, input: unknown, key?: string) {
      const answer = await act(name, input, key);
      if (answer._tag !== "Succeeded") throw new TypeError(`${name} was to succeed, but it came to ${JSON.stringify(answer)}`);
      return answer.output;
    },
    async undo(name: string, given: unknown, undoes: string, { known = "inDoubt", cause }: Told = {}) {
      const operation = operationOf(name);
      const input = operation.input.parse(given);
      const undone = { key: undoes, name: (operation as Undo).undoes, issuedAt: clock.now, known };
      const fenced = { key: `${undoes}-undo`, name, input, issuedAt: clock.now, sagaId: sagaIdOf(undoes), undoes: undone };
      const foreign = partsOf(name, input) as ForeignUndo<unknown, unknown> | undefined;
      if (foreign !== undefined) return fence.undoIntended(fenced, foreign);
      return fence.undo(fenced, async (context) => {
        await handlerOf(name)({ ...context, cause }, input);
      });
    },
    async ask(name: string, given: unknown) {
      const operation = operationOf(name);
      const input = operation.input.parse(given);
      const result = await database.transaction((transaction) => handlerOf(name)({ transaction, now: clock.now }, input));
      return result.map((output) => outputOf(operation, output)).mapErr((rejection) => rejectionOf(operation, rejection));
    },
    async close() {
      await database.close();
      await remove();
    },
  };
  return rig as unknown as Rig<Any>;
}

/** Answers a result of neverthrow's, of whatever types. */
type Handler = (context: unknown, input: unknown) => ReturnType<Parameters<Fence["act"]>[1]>;
type AnyForeign = Foreign<unknown, unknown>;

async function openDatabase(storage: (typeof STORAGES)[number], clock: Clock) {
  const now = (): number => clock.now;
  if (storage === "memory") return { database: createMemoryDatabase({ now }), remove: async () => undefined };
  if (storage === "postgres") return { database: await openOnPostgres(now), remove: async () => undefined };
  const directory = await mkdtemp(join(tmpdir(), "backstep-domain-"));
  return { database: createSqliteDatabase({ path: join(directory, "test.db"), now }), remove: () => rm(directory, { recursive: true }) };
}

function sagaIdOf(key: string): string | undefined {
  return key.includes("/") ? key.slice(0, key.indexOf("/")) : undefined;
}

function answered(operation: Operation, answer: ActAnswer): Answered<Operation> {
  if (answer._tag !== "Executed" && answer._tag !== "Replayed") return answer;
  const replayed = answer._tag === "Replayed";
  const value: unknown = JSON.parse(answer.decision.json);
  return answer.decision._tag === "Succeeded"
    ? { _tag: "Succeeded", output: outputOf(operation, value) as never, replayed }
    : { _tag: "Rejected", rejection: rejectionOf(operation, value) as never, replayed };
}

function outputOf(operation: Operation, value: unknown): unknown {
  return "output" in operation ? operation.output.parse(value) : undefined;
}

/** Throws for a rejection that the contract does not declare. */
function rejectionOf(operation: Operation, value: unknown): unknown {
  const { _tag } = value as { readonly _tag: string };
  const declared = "rejections" in operation ? operation.rejections.find(({ tag }) => tag === _tag) : undefined;
  if (declared === undefined) throw new TypeError(`${_tag} is no rejection of this operation`);
  return declared.schema.parse(value);
}
