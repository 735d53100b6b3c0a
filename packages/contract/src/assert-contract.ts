/** What must hold of every contract, checked when it is declared: a program with a wrong one does not start. */
import type { Contract, Operation } from "./contract.ts";

export class ContractInvalid extends Error {
  readonly _tag = "ContractInvalid";

  constructor(message: string) {
    super(message);
    this.name = "ContractInvalid";
  }
}

const CONTRACT_NAME = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;
const OPERATION_NAME = /^[a-z][A-Za-z0-9]*$/;
const PATH = /^(\/([a-z0-9-]+|\{[a-z][A-Za-z0-9]*\}))+$/;
const REJECTION_TAG = /^[A-Z][A-Za-z0-9]*$/;

export function assertContract(contract: Contract): void {
  if (!CONTRACT_NAME.test(contract.name)) refuse(`contract name ${JSON.stringify(contract.name)} is not kebab-case`);
  const places = new Map<string, string>();
  for (const [name, operation] of Object.entries(contract.operations)) {
    const where = `${contract.name}.${name}`;
    if (!OPERATION_NAME.test(name)) refuse(`${where}: an operation's name is camelCase`);
    assertPath(where, operation);
    const place = `${operation.method} ${operation.path.replaceAll(/\{[^}]*\}/g, "{}")}`;
    const other = places.get(place);
    if (other !== undefined) refuse(`${where} and ${contract.name}.${other} are both at ${place}`);
    places.set(place, name);
    if (operation._tag === "Undo") assertUndo(where, operation.undoes, contract);
    else for (const { tag, status } of operation.rejections) assertRejection(where, tag, status);
  }
}

function assertPath(where: string, { path, input }: Operation): void {
  if (!PATH.test(path)) refuse(`${where}: path ${path} must be of lower-case words and {members}`);
  const members = membersOf(input);
  for (const parameter of pathParameters(path)) {
    if (!members.has(parameter)) refuse(`${where}: path parameter {${parameter}} is no member of the input`);
  }
}

function assertUndo(where: string, undoes: string, { operations }: Contract): void {
  if (operations[undoes]?._tag !== "Command") refuse(`${where}: it undoes ${undoes}, which is no command of this contract`);
}

function assertRejection(where: string, tag: string, status: number): void {
  if (!REJECTION_TAG.test(tag)) refuse(`${where}: rejection ${JSON.stringify(tag)} is not PascalCase`);
  if (!Number.isInteger(status) || status < 400 || status > 499)
    refuse(`${where}: rejection ${tag} has status ${status}; a rejection is a 4xx`);
}

function membersOf(schema: Operation["input"]): ReadonlySet<string> {
  const shape: unknown = "shape" in schema ? schema.shape : undefined;
  return new Set(typeof shape === "object" && shape !== null ? Object.keys(shape) : []);
}

/** The names in braces of a path, in order. */
export function pathParameters(path: string): readonly string[] {
  return [...path.matchAll(/\{([^}]*)\}/g)].map(([, name = ""]) => name);
}

function refuse(message: string): never {
  throw new ContractInvalid(message);
}
