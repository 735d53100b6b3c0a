/** The functions that declare a contract. They add nothing at run time but defaults and checks; what they are for is inference. */
import { z } from "zod";
import { assertContract } from "./assert-contract.ts";
import type { Command, Contract, EventType, Method, Operation, Query, Rejection, Undo } from "./contract.ts";

type RejectionSchema<Tag extends string, Shape extends z.core.$ZodLooseShape> = z.ZodObject<
  { _tag: z.ZodLiteral<Tag> } & Shape,
  z.core.$strict
>;

/** Declares a typed "no": its tag, the members that explain it, and the HTTP status that carries it (400 to 499, default 422). */
export function rejection<const Tag extends Capitalize<string>, Shape extends z.core.$ZodLooseShape>(
  tag: Tag,
  members: Shape,
  { status = 422 }: { readonly status?: number | undefined } = {},
): Rejection<Tag, RejectionSchema<Tag, Shape>> {
  const tagged = { _tag: z.literal(tag) };
  // First for the order, last because no member may take its place. The spread of a generic shape has no name in the type system; the return type is it.
  const schema = z.strictObject({ ...tagged, ...members, ...tagged }) as unknown as RejectionSchema<Tag, Shape>;
  return { tag, status, schema };
}

interface EndpointOptions<Input, Output, Rejections> {
  readonly summary: string;
  readonly path: `/${string}`;
  readonly input: Input;
  readonly output: Output;
  readonly rejections: Rejections;
}

/** Declares a command: it changes state and runs behind the fence. */
export function command<Input extends z.ZodType, Output extends z.ZodType, const Rejections extends readonly Rejection[]>(
  options: EndpointOptions<Input, Output, Rejections> & { readonly method?: Exclude<Method, "GET"> | undefined },
): Command<Input, Output, Rejections> {
  return { _tag: "Command", ...options, method: options.method ?? "POST" };
}

/** Declares the undo of a command of the same contract: same input, no rejections, no output. */
export function undo<const Undoes extends string, Input extends z.ZodType>(options: {
  readonly summary: string;
  readonly path: `/${string}`;
  readonly undoes: Undoes;
  readonly input: Input;
  readonly method?: Exclude<Method, "GET"> | undefined;
}): Undo<Undoes, Input> {
  return { _tag: "Undo", ...options, method: options.method ?? "POST" };
}

/** Declares a query: it only reads. Members of its input that are not in the path travel in the query string, as texts. */
export function query<Input extends z.ZodType, Output extends z.ZodType, const Rejections extends readonly Rejection[]>(
  options: EndpointOptions<Input, Output, Rejections>,
): Query<Input, Output, Rejections> {
  return { _tag: "Query", ...options, method: "GET" };
}

/** Declares an event: a CloudEvents type (reverse-DNS, versioned) and the schema of its data. */
export function eventType<const Type extends string, Data extends z.ZodType>(type: Type, data: Data): EventType<Type, Data> {
  return { type, data };
}

/** The names of a contract's commands: what an undo may undo. */
type CommandName<Operations> = {
  [Name in keyof Operations]: Operations[Name] extends { readonly _tag: "Command" } ? Name : never;
}[keyof Operations];

/** An undo whose command is missing becomes a type that no undo fits. */
type CheckedUndos<Operations> = {
  [Name in keyof Operations]: Operations[Name] extends Undo<infer Undoes>
    ? Undoes extends CommandName<Operations>
      ? Operations[Name]
      : Undo<CommandName<Operations> & string>
    : Operations[Name];
};

/**
 * Declares a contract.
 *
 * @throws {ContractInvalid} at declaration, for a malformed name or path, an input that is no object, a path parameter that is no member of it, two operations in one
 * place, an undo of nothing, or a rejection that is malformed, no 4xx or declared twice.
 */
export function contract<
  const Name extends string,
  const Operations extends Readonly<Record<string, Operation>>,
  // oxlint-disable-next-line typescript/no-generated-empty-object-type -- a contract without events has none to name
  const Events extends Readonly<Record<string, EventType>> = Record<never, never>,
>(options: {
  readonly name: Name;
  readonly operations: Operations & CheckedUndos<Operations>;
  readonly events?: Events | undefined;
}): Contract<Name, Operations, Events> {
  const declared = { name: options.name, operations: options.operations as Operations, events: options.events ?? ({} as Events) };
  assertContract(declared);
  return declared;
}
