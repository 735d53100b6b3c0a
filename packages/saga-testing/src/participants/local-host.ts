/**
 * A contract and its implementations behind a fence, called without a wire: what a client, a server and the service behind it do together with one call. Types are
 * erased here; whoever makes a client ties each operation to its own.
 */
import type { Command, Contract, Query, Undo } from "@backstep/contract";
import type { CommandCall, QueryCall, UndoCall } from "@backstep/http-adapter/client";
import type { ActAnswer, Database, Fence, FencedOperation, UndoAnswer } from "@backstep/participant";
import type { Resolution } from "@backstep/saga-core";
import { type Fault, fault, idempotencyKey, type Tagged } from "@backstep/saga-core/adapter";
import { err, type Result } from "neverthrow";
import { keepAnswer, type OperationPlan, readOutput, receiveInput } from "./contract-plan.ts";
import { readAct, readResolve, readUndo, thrownFault } from "./fence-answers.ts";
import { actionOf, type ForeignImplementation, type ForeignNews, isForeign, undoOf } from "./local-foreign.ts";

export interface LocalHost {
  readonly contract: Contract;
  /** By operation. Functions are looked up, and called on it, at each call. A query's gets the call as well, which a service has no use for. */
  readonly service: Readonly<Record<string, Implementation>>;
  readonly database: Database;
  readonly fence: Fence;
  readonly news: HostNews;
}

export type Implementation = ForeignImplementation | Handler;
export type Handler = (context: unknown, input: unknown, call: QueryCall) => Promise<Result<unknown, unknown> | undefined>;

/** Told of what is committed. */
export interface HostNews {
  applied(command: string, key: string, input: unknown, output: unknown): void;
  takenBack(key: string): void;
}

type Answered = Promise<Result<unknown, Tagged>>;

export async function ask(host: LocalHost, plan: OperationPlan, query: Query, input: unknown, call: QueryCall): Answered {
  const received = receive(plan, input, call);
  if (received.isErr()) return err(received.error);
  const { database } = host;
  try {
    const answered = await database.transaction((transaction) =>
      handlerOf(host, plan.name)({ transaction, now: database.now() }, received.value, call),
    );
    return keepAnswer(plan.where, query, answered).match<Result<unknown, Tagged>>(
      (output) => readOutput(plan, throughJson(output)),
      (rejection) => err(throughJson(rejection) as Tagged),
    );
  } catch (thrown) {
    return err(thrownFault(thrown, plan.where));
  }
}

export async function act(host: LocalHost, plan: OperationPlan, command: Command, input: unknown, call: CommandCall): Answered {
  const received = receive(plan, input, call);
  if (received.isErr()) return err(received.error);
  try {
    const answer = await run(host, plan, command, { ...operationOf(host, plan, call), input: received.value });
    return readAct(answer, plan.where, (recorded) => readOutput(plan, recorded));
  } catch (thrown) {
    return err(failure(thrown, plan, call));
  }
}

async function run(host: LocalHost, { name, where }: OperationPlan, command: Command, operation: FencedOperation): Promise<ActAnswer> {
  const { service, fence, news } = host;
  const { key, input } = operation;
  const implementation = service[name];
  if (isForeign(implementation)) {
    return noting(host, name, input, (noted) => fence.intend(operation, actionOf(where, command, implementation, input, noted)));
  }
  let output: unknown;
  const answer = await fence.act(operation, async (context) => {
    const answered = keepAnswer(where, command, await handlerOf(host, name)(context, input, {}));
    if (answered.isOk()) output = answered.value;
    return answered;
  });
  if (answer._tag === "Executed" && answer.decision._tag === "Succeeded") news.applied(name, key, input, output);
  return answer;
}

export async function undo(host: LocalHost, plan: OperationPlan, operation: Undo, input: unknown, call: UndoCall): Answered {
  const received = receive(plan, input, call);
  if (received.isErr()) return err(received.error);
  try {
    return readUndo(await takeBack(host, plan, operation, received.value, call), plan.where);
  } catch (thrown) {
    return err(failure(thrown, plan, call));
  }
}

/** What a cause looks like on the wire; one that looks otherwise does not travel. */
const CAUSE = /^[A-Z][A-Za-z0-9_.-]{0,63}$/;

async function takeBack(host: LocalHost, plan: OperationPlan, undo: Undo, input: unknown, call: UndoCall): Promise<UndoAnswer> {
  const { contract, service, fence, news } = host;
  const { undoes } = call;
  const operation = {
    ...operationOf(host, plan, call),
    input,
    undoes: { key: undoes.key, issuedAt: undoes.issuedAt, known: undoes.known, name: plan.undone },
  };
  const implementation = service[plan.name];
  if (isForeign(implementation)) {
    return noting(
      host,
      undo.undoes,
      input,
      (noted) => fence.undoIntended(operation, undoOf(contract, plan.undone, undo, implementation, input, noted)),
      undoes.key,
    );
  }
  const cause = call.cause !== undefined && CAUSE.test(call.cause) ? call.cause : undefined;
  const answer = await fence.undo(operation, async (context) => {
    await handlerOf(host, plan.name)({ ...context, cause }, input, {});
  });
  if (answer._tag === "Executed" && answer.decision._tag === "Undone") news.takenBack(undoes.key);
  return answer;
}

export async function resolve(
  host: LocalHost,
  plan: OperationPlan,
  input: unknown,
  call: CommandCall,
): Promise<Result<Resolution<unknown, Tagged>, Fault>> {
  const received = receive(plan, input, call);
  if (received.isErr()) return err(received.error);
  const { name, operation, where } = plan;
  const asked = operationOf(host, plan, call);
  const implementation = host.service[name];
  try {
    // Only the parts of a foreign effect can say what became of one that was left open.
    const answer =
      operation._tag === "Command" && isForeign(implementation)
        ? await noting(host, name, received.value, (noted) =>
            host.fence.resolve(asked, actionOf(where, operation, implementation, received.value, noted)),
          )
        : await host.fence.resolve(asked);
    return readResolve(answer, where, (recorded) => readOutput(plan, recorded));
  } catch (thrown) {
    return err(failure(thrown, plan, call));
  }
}

/** Tells what a foreign operation committed, whatever came of the rest of it. */
async function noting<Answer>(
  { news }: LocalHost,
  command: string,
  input: unknown,
  work: (noted: ForeignNews) => Promise<Answer>,
  undoneKey = "",
): Promise<Answer> {
  const notes: (() => void)[] = [];
  try {
    return await work({
      applied: (key, output) => notes.push(() => news.applied(command, key, input, output)),
      takenBack: () => notes.push(() => news.takenBack(undoneKey)),
    });
  } finally {
    for (const note of notes) note();
  }
}

function receive(plan: OperationPlan, input: unknown, { signal }: QueryCall): Result<unknown, Fault> {
  if (signal?.aborted === true) return err(fault("NotSent", `${plan.where}: aborted before it was sent`));
  return receiveInput(plan, input);
}

function operationOf({ database }: LocalHost, { where: name }: OperationPlan, { key, sagaId, issuedAt }: CommandCall) {
  return { key, name, sagaId, issuedAt: issuedAt ?? database.now() };
}

function handlerOf({ service }: LocalHost, name: string): Handler {
  return (context, input, call) => (service[name] as Handler)(context, input, call);
}

/** Headers that a server would not accept are the caller's fault for good; all else that is thrown is doubt. */
function failure(thrown: unknown, { where }: OperationPlan, call: CommandCall): Fault {
  const { key, undoes } = call;
  const isRefused = key === undoes?.key || [key, undoes?.key ?? key].some((each) => idempotencyKey.parse(each).isErr());
  return isRefused ? fault("Faulted", `${where}: the key is malformed, or that of the action`) : thrownFault(thrown, where);
}

/** As it would travel. */
function throughJson(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value ?? null)) as unknown;
}
