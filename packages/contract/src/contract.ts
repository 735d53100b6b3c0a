/**
 * A contract: what a domain offers, as data. Commands change state and are fenced; an undo takes back one command; queries only read; events
 * tell what happened. There is no server and no client here, only zod schemas and the names, places and refusals that both sides share.
 */
import type { z } from "zod";

/** A typed "no": its `_tag`, the HTTP status that carries it, and the schema of the whole error object. */
export interface Rejection<Tag extends Capitalize<string> = Capitalize<string>, Schema extends z.ZodType = z.ZodType> {
  readonly tag: Tag;
  /** 4xx. Default 422. */
  readonly status: number;
  readonly schema: Schema;
}

export type Method = "GET" | "POST" | "PUT" | "DELETE";

interface Endpoint<Input extends z.ZodType, Output extends z.ZodType, Rejections extends readonly Rejection[]> {
  /** One sentence for the OpenAPI page. */
  readonly summary: string;
  /** Absolute, with `{name}` for members of the input that travel in the path, e.g. `/products/{productId}/stock/deductions`. */
  readonly path: `/${string}`;
  /** An object schema: one flat input, as a step takes it. What is not in the path travels in the JSON body (commands) or query string (queries). */
  readonly input: Input;
  readonly output: Output;
  readonly rejections: Rejections;
}

export interface Command<
  Input extends z.ZodType = z.ZodType,
  Output extends z.ZodType = z.ZodType,
  Rejections extends readonly Rejection[] = readonly Rejection[],
> extends Endpoint<Input, Output, Rejections> {
  readonly _tag: "Command";
  readonly method: Exclude<Method, "GET">;
}

/** Takes back one command of the same contract: same input, no rejections, no business guard. Its output is empty. */
export interface Undo<Undoes extends string = string, Input extends z.ZodType = z.ZodType> {
  readonly _tag: "Undo";
  readonly summary: string;
  readonly path: `/${string}`;
  readonly method: Exclude<Method, "GET">;
  /** The name of the command, in the same contract, that it takes back. */
  readonly undoes: Undoes;
  readonly input: Input;
}

export interface Query<
  Input extends z.ZodType = z.ZodType,
  Output extends z.ZodType = z.ZodType,
  Rejections extends readonly Rejection[] = readonly Rejection[],
> extends Endpoint<Input, Output, Rejections> {
  readonly _tag: "Query";
  readonly method: "GET";
}

/** A CloudEvents type with the schema of its data. */
export interface EventType<Type extends string = string, Data extends z.ZodType = z.ZodType> {
  /** Reverse-DNS and versioned, e.g. `com.backstep.payment.completed.v1`. */
  readonly type: Type;
  readonly data: Data;
}

export type Operation = Command | Undo | Query;

export interface Contract<
  Name extends string = string,
  Operations extends Readonly<Record<string, Operation>> = Readonly<Record<string, Operation>>,
  Events extends Readonly<Record<string, EventType>> = Readonly<Record<string, EventType>>,
> {
  /** kebab-case: the domain. Steps are named `<name>.<operation in kebab-case>`. */
  readonly name: Name;
  readonly operations: Operations;
  readonly events: Events;
}

export type InputOf<Any extends Operation> = z.output<Any["input"]>;
export type OutputOf<Any extends Operation> = Any extends { readonly output: infer Output extends z.ZodType }
  ? z.output<Output>
  : undefined;
export type RejectionOf<Any extends Operation> = Any extends { readonly rejections: readonly (infer Item)[] }
  ? Item extends Rejection<Capitalize<string>, infer Schema>
    ? z.output<Schema>
    : never
  : never;
