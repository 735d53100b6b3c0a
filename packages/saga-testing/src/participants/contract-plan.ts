/**
 * What is known of a contract's operations before any call is made: their names, what of an input travels as text, and how input and answers are held against their
 * schemas. Every run makes clients anew, so it is found out once per contract.
 */
import { type Command, type Contract, type Operation, pathParameters, type Query } from "@backstep/contract";
import { type Fault, fault } from "@backstep/saga-core/adapter";
import { err, ok, type Result } from "neverthrow";
import type { z } from "zod";

export interface OperationPlan {
  readonly contract: string;
  /** Its name in the contract. */
  readonly name: string;
  readonly operation: Operation;
  /** The name that steps and fences know it by, e.g. `product.deduct-stock`. */
  readonly where: string;
  /** The same name of what an undo takes back; empty for what is no undo. */
  readonly undone: string;
  /** Members of the input that travel in the path. */
  readonly inPath: readonly string[];
}

const plans = new WeakMap<Contract, readonly OperationPlan[]>();

export function planOf(contract: Contract): readonly OperationPlan[] {
  const known = plans.get(contract);
  if (known !== undefined) return known;
  const made = Object.entries(contract.operations).map(([name, operation]) => ({
    contract: contract.name,
    name,
    operation,
    where: operationName(contract.name, name),
    undone: operation._tag === "Undo" ? operationName(contract.name, operation.undoes) : "",
    inPath: pathParameters(operation.path),
  }));
  plans.set(contract, made);
  return made;
}

/** The same name as `http-adapter` gives an operation; said again because its door to that comes with a server. */
function operationName(contract: string, operation: string): string {
  return `${contract}.${operation.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/** The input as the service would get it over the wire: what cannot be sent, or does not fit its schema, is the caller's fault for good. */
export function receiveInput({ operation, where, inPath }: OperationPlan, input: unknown): Result<unknown, Fault> {
  const members = (input ?? {}) as Readonly<Record<string, unknown>>;
  const asTexts = operation._tag === "Query" ? Object.keys(members) : inPath;
  let sent = members;
  for (const name of asTexts) {
    const value = members[name];
    const mayBeLeftOut = value === undefined && !inPath.includes(name);
    if (typeof value === "string" ? !(inPath.includes(name) && isNoSegment(value)) : mayBeLeftOut) continue;
    if (typeof value !== "number" && typeof value !== "boolean") return err(fault("Faulted", `${where}: ${name} cannot travel as text`));
    sent = { ...sent, [name]: String(value) };
  }
  const parsed = operation.input.safeParse(sent);
  return parsed.success ? ok(parsed.data) : err(fault("Faulted", `${where}: the input does not fit its contract: ${flawOf(parsed.error)}`));
}

/** A URL has no segment of this kind: it would be another path. */
function isNoSegment(text: string): boolean {
  return text === "" || text === "." || text === "..";
}

/**
 * What a service says, as its contract has it.
 *
 * @throws Where it does not fit: before it is recorded, as a server does.
 */
export function keepAnswer(where: string, operation: Command | Query, answered: Result<unknown, unknown> | undefined) {
  if (answered === undefined) throw new TypeError(`${where} answered nothing`);
  return answered.match<Result<unknown, unknown>>(
    (output) => ok(keepOutput(where, operation, output)),
    (rejection) => err(keepRejection(where, operation, rejection)),
  );
}

export function keepOutput(where: string, { output: schema }: Command | Query, output: unknown): unknown {
  const parsed = schema.safeParse(output);
  if (!parsed.success) throw new TypeError(`the output of ${where} does not fit its contract: ${flawOf(parsed.error)}`);
  return parsed.data;
}

export function keepRejection(where: string, { rejections }: Command | Query, rejection: unknown): unknown {
  const tag = (rejection as { readonly _tag?: unknown } | undefined)?._tag;
  const parsed = rejections.find((declared) => declared.tag === tag)?.schema.safeParse(rejection);
  if (parsed === undefined) throw new TypeError(`${where} was rejected with ${String(tag)}, which its contract does not declare`);
  if (!parsed.success) throw new TypeError(`the rejection ${String(tag)} of ${where} does not fit its contract: ${flawOf(parsed.error)}`);
  return parsed.data;
}

/** What was recorded, as a client reads it. A schema that does not read what it wrote shows up here as it would there. */
export function readOutput({ operation, where }: OperationPlan, recorded: unknown): Result<unknown, Fault> {
  if (operation._tag === "Undo") return ok(undefined);
  const output = operation.output.safeParse(recorded);
  if (output.success) return ok(output.data);
  // JSON has no word for "nothing" but null.
  const nothing = recorded === null ? operation.output.safeParse(undefined) : undefined;
  if (nothing?.success === true) return ok(nothing.data);
  return err(fault("Unreadable", `${where}: the recorded answer does not fit the contract: ${flawOf(output.error)}`));
}

/** The first thing that is wrong, with its place. */
export function flawOf({ issues: [issue] }: z.ZodError): string {
  const place = issue === undefined || issue.path.length === 0 ? "" : `${issue.path.map(String).join(".")}: `;
  return `${place}${issue?.message ?? "it is invalid"}`;
}
