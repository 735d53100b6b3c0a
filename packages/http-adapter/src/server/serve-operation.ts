/**
 * One call of one operation: its headers and input checked, the fence around the service, what the service says held against the contract. Duplicates are answered
 * before business guards, because the fence comes before the service.
 */
import type { Command, Contract, Operation, Query, Undo } from "@backstep/contract";
import type { Database, Fence } from "@backstep/participant";
import type { Context } from "hono";
import { err, ok, type Result } from "neverthrow";
import { operationName } from "../wire.ts";
import { answerResponse, rejectionResponse } from "./answer-response.ts";
import { ContractBroken } from "./contract-broken.ts";
import { problemResponse } from "./problem-response.ts";
import { type ReceivedCall, readCall, readUndo } from "./read-call.ts";
import { readInput } from "./read-input.ts";

/** What every handler of a service looks like once its types are erased. */
export type AnyHandler = (context: unknown, input: unknown) => Promise<Result<unknown, unknown> | undefined>;

export interface ServedOperation {
  readonly contract: Contract;
  /** Its name in the contract. */
  readonly name: string;
  readonly operation: Operation;
  readonly handle: AnyHandler;
  readonly database: Database;
  readonly fence: Fence;
  readonly bodyBytesMax: number;
}

/** A call that may be made: headers and input have been checked. */
interface Accepted {
  readonly call: ReceivedCall;
  readonly input: unknown;
  readonly headers: Headers;
}

export async function serveOperation(served: ServedOperation, { req }: Context): Promise<Response> {
  const { operation, database, bodyBytesMax } = served;
  const { headers, url } = req.raw;
  const parts = { path: req.param(), url: new URL(url), request: req.raw, bodyBytesMax };
  if (operation._tag === "Query") {
    const input = await readInput(operation, parts);
    return input.isOk() ? answerQuery(served, operation, input.value) : input.error;
  }
  const call = readCall(headers, database.now());
  if (call.isErr()) return call.error;
  const input = await readInput(operation, parts);
  if (input.isErr()) return input.error;
  const accepted = { call: call.value, input: input.value, headers };
  return operation._tag === "Command" ? act(served, operation, accepted) : undo(served, operation, accepted);
}

async function answerQuery({ contract, name, handle, database }: ServedOperation, query: Query, input: unknown): Promise<Response> {
  const answered = await database.transaction((transaction) => handle({ transaction, now: database.now() }, input));
  return kept(operationName(contract.name, name), query, answered).match(
    (output) => Response.json(output ?? null),
    (rejection) => rejectionResponse(contract.name, query, JSON.stringify(rejection), undefined),
  );
}

async function act(served: ServedOperation, command: Command, { call: { asking, ...call }, input }: Accepted): Promise<Response> {
  const { contract, handle, fence } = served;
  const name = operationName(contract.name, served.name);
  if (asking) return answerResponse(contract.name, command, await fence.resolve({ ...call, name }));
  const answer = await fence.act({ ...call, name, input }, async (context) => kept(name, command, await handle(context, input)));
  return answerResponse(contract.name, command, answer);
}

async function undo(served: ServedOperation, operation: Undo, accepted: Accepted): Promise<Response> {
  const { contract, handle, fence } = served;
  const { input, headers } = accepted;
  const { asking, ...call } = accepted.call;
  const name = operationName(contract.name, served.name);
  if (asking) return answerResponse(contract.name, operation, await fence.resolve({ ...call, name }));
  const read = readUndo(headers);
  if (read.isErr()) return read.error;
  const { undoes, cause } = read.value;
  if (undoes.key === call.key) {
    return problemResponse("keyInvalid", { detail: "an undo has a key of its own, not that of its action" });
  }
  const undone = { ...undoes, name: operationName(contract.name, operation.undoes) };
  const answer = await fence.undo({ ...call, name, input, undoes: undone }, async (context) => {
    await handle({ ...context, cause }, input);
  });
  return answerResponse(contract.name, operation, answer);
}

/**
 * What the service said, as its contract has it. An answer that does not fit is thrown before the fence records it: sent, it could give away what the contract keeps
 * back, and its reader could not read it, now or at any repeat.
 */
function kept(name: string, operation: Command | Query, answered: Result<unknown, unknown> | undefined): Result<unknown, unknown> {
  if (answered === undefined) throw new ContractBroken(`${name} answered nothing`);
  return answered.match<Result<unknown, unknown>>(
    (output) => {
      const parsed = operation.output.safeParse(output);
      if (!parsed.success) throw new ContractBroken(`the output of ${name} does not fit its contract`, parsed.error);
      return ok(parsed.data);
    },
    (rejection) => {
      const declared = operation.rejections.find(({ tag }) => tag === (rejection as { readonly _tag?: unknown } | undefined)?._tag);
      const parsed = declared?.schema.safeParse(rejection);
      if (parsed?.success !== true)
        throw new ContractBroken(`${name} was rejected in a way that its contract does not declare`, parsed?.error);
      return err(parsed.data);
    },
  );
}
