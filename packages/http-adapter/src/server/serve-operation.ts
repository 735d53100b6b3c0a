/**
 * One call of one operation: its headers and input checked, the fence around the service. Duplicates are answered before business guards, because the fence comes
 * before the service. What a service does in its own database runs in one transaction with the fence's row; what it does in another system has its intent recorded first.
 */
import type { Command, Contract, Operation, Query, Undo } from "@backstep/contract";
import type { ActAnswer, Database, Fence, FencedOperation, FencedUndo, UndoAnswer } from "@backstep/participant";
import type { Context } from "hono";
import { HEADER, operationName } from "../wire.ts";
import type { Admission, Caller } from "./admission.ts";
import { answerResponse, rejectionResponse } from "./answer-response.ts";
import { type AnyHandler, actionFor, type Implementation, undoFor } from "./implementation.ts";
import { keepAnswer } from "./keep-contract.ts";
import { problemResponse } from "./problem-response.ts";
import { type ReceivedCall, readCall, readUndo, SAGA_ID } from "./read-call.ts";
import { readInput } from "./read-input.ts";

export interface ServedOperation {
  readonly contract: Contract;
  /** Its name in the contract. */
  readonly name: string;
  readonly operation: Operation;
  readonly implementation: Implementation;
  readonly database: Database;
  readonly fence: Fence;
  readonly bodyBytesMax: number;
  readonly admission: Admission;
}

/** A call that may be made: headers and input have been checked. */
interface Accepted {
  readonly call: ReceivedCall;
  readonly input: unknown;
  readonly headers: Headers;
}

export async function serveOperation(served: ServedOperation, { req }: Context): Promise<Response> {
  const { operation, database, bodyBytesMax, admission } = served;
  const { headers, url } = req.raw;
  const caller = callerOf(headers);
  const parts = { path: req.param(), url: new URL(url), request: req.raw, bodyBytesMax };
  if (operation._tag === "Query") {
    const input = await readInput(operation, parts);
    return input.isOk() ? admission.admit(caller, () => answerQuery(served, operation, input.value)) : input.error;
  }
  const call = readCall(headers, database.now());
  if (call.isErr()) return call.error;
  const input = await readInput(operation, parts);
  if (input.isErr()) return input.error;
  const accepted = { call: call.value, input: input.value, headers };
  // After its body has come: whoever sends it slowly keeps no place from others.
  return admission.admit(caller, () =>
    operation._tag === "Command" ? act(served, operation, accepted) : undo(served, operation, accepted),
  );
}

/** What is malformed of a command is refused elsewhere; here it counts as not said. */
function callerOf(headers: Headers): Caller {
  const timeoutMs = Number(headers.get(HEADER.timeoutMs) ?? Number.NaN);
  return { timeoutMs: timeoutMs > 0 ? timeoutMs : undefined, inSaga: SAGA_ID.test(headers.get(HEADER.sagaId) ?? "") };
}

async function answerQuery(served: ServedOperation, query: Query, input: unknown): Promise<Response> {
  const { contract, name, database } = served;
  const answered = await database.transaction((transaction) => handlerOf(served)({ transaction, now: database.now() }, input));
  return keepAnswer(operationName(contract.name, name), query, answered).match(
    (output) => Response.json(output ?? null),
    (rejection) => rejectionResponse(contract.name, query, JSON.stringify(rejection), undefined),
  );
}

async function act(served: ServedOperation, command: Command, { call: { asking, ...call }, input }: Accepted): Promise<Response> {
  const { contract, fence } = served;
  const name = operationName(contract.name, served.name);
  const operation = { ...call, name, input };
  // Only the parts of a foreign effect can say what became of one that was left open.
  const answer = asking
    ? await fence.resolve(operation, actionFor(served.implementation, name, command, input))
    : await run(served, command, operation);
  return answerResponse(contract.name, command, answer);
}

async function run(served: ServedOperation, command: Command, operation: FencedOperation): Promise<ActAnswer> {
  const { implementation, fence } = served;
  const { name, input } = operation;
  const foreign = actionFor(implementation, name, command, input);
  if (foreign !== undefined) return fence.intend(operation, foreign);
  return fence.act(operation, async (context) => keepAnswer(name, command, await handlerOf(served)(context, input)));
}

async function undo(served: ServedOperation, operation: Undo, accepted: Accepted): Promise<Response> {
  const { contract, fence } = served;
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
  return answerResponse(contract.name, operation, await takeBack(served, operation, { ...call, name, input, undoes: undone }, cause));
}

async function takeBack(served: ServedOperation, undo: Undo, operation: FencedUndo, cause: string | undefined): Promise<UndoAnswer> {
  const { implementation, contract, fence } = served;
  const foreign = undoFor(implementation, contract, undo, operation.input);
  if (foreign !== undefined) return fence.undoIntended(operation, foreign);
  return fence.undo(operation, async (context) => {
    await handlerOf(served)({ ...context, cause }, operation.input);
  });
}

function handlerOf({ implementation }: ServedOperation): AnyHandler {
  // Which operations may be foreign was settled when the server was created.
  return implementation as AnyHandler;
}
