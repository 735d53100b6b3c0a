/**
 * How a service does one operation: by a function, or by an effect in a foreign system. Types are erased here: the service's own type has tied each implementation to
 * its operation, and what it says is held against the contract as it comes.
 */
import type { Command, Contract, Undo } from "@backstep/contract";
import type { ForeignAction, ForeignUndo } from "@backstep/participant";
import type { Result } from "neverthrow";
import { operationName } from "../wire.ts";
import { keepAction } from "./keep-contract.ts";
import { ServiceInvalid } from "./service-invalid.ts";

export type AnyHandler = (context: unknown, input: unknown) => Promise<Result<unknown, unknown> | undefined>;

interface AnyForeign {
  readonly _tag: "Foreign";
  readonly partsFor: (input: unknown) => unknown;
}

export type Implementation = AnyHandler | AnyForeign;

/** The implementations of a contract by operation. Functions stay members of the service: they are looked up, and called on it, at each call. */
export function implementationsOf(contract: Contract, service: object): Readonly<Record<string, Implementation>> {
  const members = service as Readonly<Record<string, Implementation>>;
  assertForeign(contract, members);
  return Object.fromEntries(
    Object.keys(contract.operations).map((name): readonly [string, Implementation] => {
      const member = members[name];
      return [name, isForeign(member) ? member : (given, input) => (members[name] as AnyHandler)(given, input)];
    }),
  );
}

/** `undefined`: the command is done by a function. */
export function actionFor(
  implementation: Implementation,
  name: string,
  command: Command,
  input: unknown,
): ForeignAction<unknown, unknown> | undefined {
  if (!isForeign(implementation)) return undefined;
  return keepAction(name, command, implementation.partsFor(input) as ForeignAction<unknown, unknown>);
}

/** `undefined`: the undo is done by a function. */
export function undoFor(
  implementation: Implementation,
  { name, operations }: Contract,
  { undoes }: Undo,
  input: unknown,
): ForeignUndo<unknown, unknown> | undefined {
  if (!isForeign(implementation)) return undefined;
  const parts = implementation.partsFor(input) as ForeignUndo<unknown, unknown>;
  // An undo of what is no command does not get through a contract's declaration.
  return { ...parts, action: keepAction(operationName(name, undoes), operations[undoes] as Command, parts.action) };
}

function isForeign(implementation: Implementation | undefined): implementation is AnyForeign {
  return typeof implementation === "object" && implementation?._tag === "Foreign";
}

/** A fence that finds a foreign intent cannot end it with a function, nor the other way round; a query has no effect that could be elsewhere. */
function assertForeign({ name: contract, operations }: Contract, members: Readonly<Record<string, Implementation>>): void {
  for (const [name, operation] of Object.entries(operations)) {
    const foreign = isForeign(members[name]);
    if (operation._tag === "Query" && foreign) throw new ServiceInvalid(`${contract}.${name} is a query; a query has no foreign effect`);
    if (operation._tag !== "Undo" || foreign === isForeign(members[operation.undoes])) continue;
    const [local, elsewhere] = foreign ? [operation.undoes, name] : [name, operation.undoes];
    throw new ServiceInvalid(`${contract}.${elsewhere} is foreign and ${local} is not; an undo is done the way its command is`);
  }
}
