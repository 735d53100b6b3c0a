/** What a step's functions may return, and what is inferred from it: `Result`, `ResultAsync` or a promise of a `Result`. */
import type { Result, ResultAsync } from "neverthrow";
import type { Fault } from "../errors/fault.ts";

/** `ResultAsync` is no `PromiseLike` of a wider `Result`, so it is named on its own. */
export type Answer<Failure> = Result<unknown, Failure> | ResultAsync<unknown, Failure> | PromiseLike<Result<unknown, Failure>>;

/** An answer of a given output and of no failure but a fault. */
export type AnswerOf<Output> = Result<Output, Fault> | ResultAsync<Output, Fault> | PromiseLike<Result<Output, Fault>>;

/** The output a function answers with. */
export type AnsweredOutput<Returned> = Awaited<Returned> extends Result<infer Output, unknown> ? Output : never;

/** The rejections a function declares: its errors without core's faults. */
export type AnsweredRejection<Returned> = Awaited<Returned> extends Result<unknown, infer Failure> ? Exclude<Failure, Fault> : never;
