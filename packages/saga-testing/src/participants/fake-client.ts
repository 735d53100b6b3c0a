/**
 * A service made up from its contract, so that a saga can be proved before its services exist. It stands behind the memory fence like a real one, remembers which
 * effects stand, and says yes or any of its declared rejections, as the site chooses.
 */
import type { Command, Contract, InputOf, OutputOf, Query, RejectionOf } from "@backstep/contract";
import type { Client, QueryCall } from "@backstep/http-adapter/client";
import { createFence, createMemoryDatabase } from "@backstep/participant";
import { err, ok, type Result } from "neverthrow";
import { type OperationPlan, planOf } from "./contract-plan.ts";
import { type FakeEffects, FakeLedger } from "./fake-ledger.ts";
import { smallestOutput, smallestRejection } from "./fake-values.ts";
import { RETENTION_MS } from "./fenced.ts";
import { clientOf } from "./local-client.ts";
import type { Handler, LocalHost } from "./local-host.ts";
import type { Site } from "./site.ts";

type Operations<Any extends Contract> = Any["operations"];

/** What an answer is told beside its input. */
export interface FakeContext<Any extends Contract> {
  /** Epoch milliseconds on the site's clock. */
  readonly now: number;
  /** Absent for a query that is asked outside of a saga. */
  readonly key: string | undefined;
  readonly sagaId: string | undefined;
  /** What the fake has done so far, this call not counted. */
  readonly effects: FakeEffects<Any>;
}

/** The names of what answers with something: an undo does not. */
type AnswersName<Any extends Contract> = {
  [Name in keyof Operations<Any>]: Operations<Any>[Name] extends Command | Query ? Name : never;
}[keyof Operations<Any>];

/**
 * A value, or a function of the input. One that takes no parameter and answers with literals is not understood by the compiler: give the value.
 */
export type FakeAnswers<Any extends Contract> = {
  readonly [Name in AnswersName<Any>]?:
    | OutputOf<Operations<Any>[Name]>
    | ((
        input: InputOf<Operations<Any>[Name]>,
        context: FakeContext<Any>,
      ) => OutputOf<Operations<Any>[Name]> | PromiseLike<OutputOf<Operations<Any>[Name]>>);
};

type TagOf<Rejected> = Rejected extends { readonly _tag: infer Tag extends string } ? Tag : never;
type RejectedAs<Rejected, Tag> = Extract<Rejected, { readonly _tag: Tag }>;

/** By operation and tag: a value, or a function of the input. */
export type FakeRejections<Any extends Contract> = {
  readonly [Name in AnswersName<Any>]?: {
    readonly [Tag in TagOf<RejectionOf<Operations<Any>[Name]>>]?:
      | RejectedAs<RejectionOf<Operations<Any>[Name]>, Tag>
      | ((input: InputOf<Operations<Any>[Name]>) => RejectedAs<RejectionOf<Operations<Any>[Name]>, Tag>);
  };
};

export interface FakeOptions<Any extends Contract> {
  readonly site: Site;
  /** What is answered where the smallest value that fits will not do. */
  readonly answers?: FakeAnswers<Any> | undefined;
  /** A rejection that says more than the smallest value that fits. */
  readonly rejects?: FakeRejections<Any> | undefined;
  /** `false`: it always says yes, and the site is asked for nothing. Default: true. */
  readonly rejections?: boolean | undefined;
}

declare const contractOfFake: unique symbol;

export type FakeClient<Any extends Contract> = Client<Any> & { readonly [contractOfFake]?: Any };

const ledgers = new WeakMap<object, FakeLedger>();

/**
 * Makes a service up. A command is accepted, or rejected with a declared tag, as the site chooses: it is asked once per key, under the step's name, however often the call
 * comes. So is a query that a saga asks; one without a key is answered. Its undo removes the effect.
 *
 * @throws {DefinitionInvalid} when an operation has no answer of yours and no small value fits its schema.
 */
export function fakeClient<Any extends Contract>(contract: Any, options: FakeOptions<NoInfer<Any>>): FakeClient<Any> {
  const { site } = options;
  const ledger = new FakeLedger(site.effects);
  const database = createMemoryDatabase({ now: site.now });
  const fence = createFence({ database, retentionMs: RETENTION_MS });
  // Typed by their names in the options; erased from here on.
  const erased = options as unknown as ErasedOptions;
  const service = Object.fromEntries(planOf(contract).map((plan) => [plan.name, handlerFor(plan, erased, ledger)])) as LocalHost["service"];
  const client = clientOf<Any>({ contract, service, database, fence, news: ledger });
  ledgers.set(client, ledger);
  return client;
}

/** What a fake has done: the effects that stand, in the order in which they were made, and all that ever were. */
export function effectsOf<Any extends Contract>(fake: FakeClient<Any>): FakeEffects<Any> {
  const ledger = ledgers.get(fake);
  if (ledger === undefined) throw new TypeError("effects are remembered by a fake only; this is none");
  return ledger as unknown as FakeEffects<Any>;
}

type Members = Readonly<Record<string, unknown>>;

interface ErasedOptions {
  readonly site: Site;
  readonly answers?: Members | undefined;
  readonly rejects?: Readonly<Record<string, Members | undefined>> | undefined;
  readonly rejections?: boolean | undefined;
}

interface HandlerContext {
  readonly now: number;
  readonly key?: string | undefined;
  readonly sagaId?: string | undefined;
}

const ACCEPTS = "accepts";

function handlerFor({ contract, name, operation, where }: OperationPlan, options: ErasedOptions, ledger: FakeLedger): Handler {
  if (operation._tag === "Undo") return async () => undefined;
  const { answers, rejections = true } = options;
  const accept = given(answers, name) ?? always(smallestOutput(contract, name, operation));
  const rejects = rejections ? rejectsOf(contract, name, operation, options) : new Map<string, Reply>();
  const choose = chooser(options.site, where, [...rejects.keys()]);
  return async (context, input, call: QueryCall): Promise<Result<unknown, unknown>> => {
    const { now, key = call.key, sagaId = call.sagaId } = context as HandlerContext;
    const reject = rejects.get(choose(key));
    return reject === undefined ? ok(await accept(input, { now, key, sagaId, effects: ledger })) : err(reject(input));
  };
}

type Reply = (input: unknown, context?: unknown) => unknown;

/** What the test's author gave; a value as a function. */
function given(members: Members | undefined, name: string): Reply | undefined {
  if (members === undefined || !Object.hasOwn(members, name) || members[name] === undefined) return undefined;
  const member = members[name];
  return typeof member === "function" ? (member as Reply) : always(member);
}

/** How each declared rejection is made, by its tag. */
function rejectsOf(contract: string, name: string, operation: Command | Query, { rejects }: ErasedOptions) {
  return new Map<string, Reply>(
    operation.rejections.map((rejection) => [
      rejection.tag,
      given(rejects?.[name], rejection.tag) ?? always(smallestRejection(contract, name, rejection)),
    ]),
  );
}

/** Chooses once per key: a call that comes again after its answer could not be recorded is decided as it was. */
function chooser(site: Site, question: string, tags: readonly string[]): (key: string | undefined) => string {
  const alternatives = [ACCEPTS, ...tags];
  const chosen = new Map<string, string>();
  return (key) => {
    if (key === undefined || tags.length === 0) return ACCEPTS;
    const choice = chosen.get(key) ?? site.choose(question, alternatives);
    chosen.set(key, choice);
    return choice;
  };
}

function always<Value>(value: Value): () => Value {
  return () => value;
}
