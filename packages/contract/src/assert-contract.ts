/** What must hold of every contract, checked when it is declared: a program with a wrong one does not start. */
import type { Contract, Operation, Rejection } from "./contract.ts";

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
  const before: (readonly [string, Operation])[] = [];
  for (const [name, operation] of Object.entries(contract.operations)) {
    const where = `${contract.name}.${name}`;
    if (!OPERATION_NAME.test(name)) refuse(`${where}: an operation's name is camelCase`);
    assertPath(where, operation);
    const rival = before.find(([, other]) => couldBeEither(operation, other))?.[0];
    if (rival !== undefined) refuse(`${where} and ${contract.name}.${rival} are both at ${operation.method} ${operation.path}`);
    before.push([name, operation]);
    if (operation._tag === "Undo") assertUndo(where, operation.undoes, contract);
    else assertRejections(where, operation.rejections);
  }
}

function assertPath(where: string, { path, input }: Operation): void {
  if (!PATH.test(path)) refuse(`${where}: path ${path} must be of lower-case words and {members}`);
  const members = membersOf(input) ?? refuse(`${where}: the input must be an object schema`);
  const parameters = pathParameters(path);
  for (const [index, parameter] of parameters.entries()) {
    if (!members.has(parameter)) refuse(`${where}: path parameter {${parameter}} is no member of the input`);
    if (parameters.indexOf(parameter) !== index) refuse(`${where}: path parameter {${parameter}} stands twice in the path`);
  }
}

/** Whether some request fits both: where one has a word, the other has the same, or a parameter, which may be that word. */
function couldBeEither(left: Operation, right: Operation): boolean {
  const [segments, others] = [left.path.split("/"), right.path.split("/")];
  if (left.method !== right.method || segments.length !== others.length) return false;
  return segments.every((segment, index) => segment === others[index] || isParameter(segment) || isParameter(others[index]));
}

function isParameter(segment: string | undefined): boolean {
  return segment?.startsWith("{") === true;
}

function assertUndo(where: string, undoes: string, { operations }: Contract): void {
  if (operations[undoes]?._tag !== "Command") refuse(`${where}: it undoes ${undoes}, which is no command of this contract`);
}

function assertRejections(where: string, rejections: readonly Rejection[]): void {
  const tags = rejections.map(({ tag }) => tag);
  for (const [index, { tag, status }] of rejections.entries()) {
    if (!REJECTION_TAG.test(tag)) refuse(`${where}: rejection ${JSON.stringify(tag)} is not PascalCase`);
    if (!Number.isInteger(status) || status < 400 || status > 499)
      refuse(`${where}: rejection ${tag} has status ${status}; a rejection is a 4xx`);
    if (tags.indexOf(tag) !== index) refuse(`${where}: rejection ${tag} is declared twice`);
  }
}

/** The names of an object schema's members; `undefined` for any other schema. */
function membersOf(schema: Operation["input"]): ReadonlySet<string> | undefined {
  const shape: unknown = "shape" in schema ? schema.shape : undefined;
  return typeof shape === "object" && shape !== null ? new Set(Object.keys(shape)) : undefined;
}

/** The names in braces of a path, in order. */
export function pathParameters(path: string): readonly string[] {
  return [...path.matchAll(/\{([^}]*)\}/g)].map(([, name = ""]) => name);
}

function refuse(message: string): never {
  throw new ContractInvalid(message);
}
