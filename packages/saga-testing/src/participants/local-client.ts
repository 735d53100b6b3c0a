/**
 * The real service of a domain as a typed client, without a network: what the client and the server of `http-adapter` do with a call between them, and nothing of
 * the wire. A saga that is made of such clients is proved against the code that it will meet.
 */
import type { AnyService, Contract } from "@backstep/contract";
import type { Client, CommandCall, QueryCall, UndoCall } from "@backstep/http-adapter/client";
import { createFence, createMemoryDatabase, type Database, type Fence, type Transaction } from "@backstep/participant";
import { DefinitionInvalid } from "@backstep/saga-core";
import { ResultAsync } from "neverthrow";
import { type OperationPlan, planOf } from "./contract-plan.ts";
import { RETENTION_MS } from "./fenced.ts";
import { isForeign } from "./local-foreign.ts";
import { act, ask, type LocalHost, resolve, undo } from "./local-host.ts";
import type { Site } from "./site.ts";

export type LocalClientOptions = { readonly site: Site } & (
  | {
      /** Several clients share the rows of one: two of the same contract, or one that sets the scene at `quiet(site)`. Default: a new one. */
      readonly database?: Database | undefined;
      readonly fence?: undefined;
    }
  | {
      readonly database: Database;
      /** On the same database. Default: one that remembers for a year. */
      readonly fence: Fence;
    }
);

/**
 * Puts a service behind a memory fence, and a client in front of it. Every answer is what the client would read from the server: inputs, outputs and rejections are
 * held against the contract, duplicates are answered from the record, what the service throws is doubt.
 *
 * @throws {DefinitionInvalid} when a command is foreign and its undo is not, or the other way round, or a query is.
 */
export function localClient<Any extends Contract>(
  contract: Any,
  service: AnyService<Any, Transaction>,
  options: LocalClientOptions,
): Client<Any> {
  const {
    site,
    database = createMemoryDatabase({ now: site.now }),
    fence = createFence({ database, retentionMs: RETENTION_MS }),
  } = options;
  const { effects } = site;
  const news = { applied: (_command: string, key: string) => effects.applied(key), takenBack: (key: string) => effects.takenBack(key) };
  const members = service as unknown as LocalHost["service"];
  assertForeign(contract, members);
  return clientOf<Any>({ contract, service: members, database, fence, news });
}

export function clientOf<Any extends Contract>(host: LocalHost): Client<Any> {
  const client: Record<string, unknown> = {};
  for (const plan of planOf(host.contract)) client[plan.name] = operationOf(host, plan);
  // The one erasure: each function was made from the operation whose type it takes here.
  return client as unknown as Client<Any>;
}

function operationOf(host: LocalHost, plan: OperationPlan): unknown {
  const { operation } = plan;
  if (operation._tag === "Query") {
    const query = (input: unknown, call: QueryCall = {}) => new ResultAsync(ask(host, plan, operation, input, call));
    return Object.assign(query, { "~operation": plan });
  }
  const call =
    operation._tag === "Command"
      ? (input: unknown, given: CommandCall) => new ResultAsync(act(host, plan, operation, input, given))
      : (input: unknown, given: UndoCall) => new ResultAsync(undo(host, plan, operation, input, given));
  const asking = (input: unknown, given: CommandCall) => new ResultAsync(resolve(host, plan, input, given));
  return Object.assign(call, { resolve: asking, "~operation": plan });
}

/** A fence that finds a foreign intent cannot end it with a function, nor the other way round; a query has no effect that could be elsewhere. */
function assertForeign({ name: contract, operations }: Contract, members: LocalHost["service"]): void {
  for (const [name, operation] of Object.entries(operations)) {
    const foreign = isForeign(members[name]);
    if (operation._tag === "Query" && foreign) throw new DefinitionInvalid(`${contract}.${name} is a query; a query has no foreign effect`);
    if (operation._tag !== "Undo" || foreign === isForeign(members[operation.undoes])) continue;
    const [local, elsewhere] = foreign ? [operation.undoes, name] : [name, operation.undoes];
    throw new DefinitionInvalid(`${contract}.${elsewhere} is foreign and ${local} is not; an undo is done the way its command is`);
  }
}
