// Goal: a call of the engine is what a fence is told, and answers are told apart by the compiler. Method: types that must and must not compile.
import type { ActionContext, Fence, FencedOperation, FencedUndo, Transaction, UndoneKey } from "@backstep/participant";
import type { Call, CompensationCall } from "@backstep/saga-core/adapter";
import { err, ok } from "neverthrow";
import { expectTypeOf, test } from "vitest";

declare const fence: Fence;
declare const call: CompensationCall;

test("a call is what a fence is told", () => {
  expectTypeOf<Call>().toExtend<Pick<FencedOperation, "key" | "sagaId" | "issuedAt">>();
  expectTypeOf<CompensationCall["undoes"]>().toExtend<UndoneKey>();
  expectTypeOf({ ...call, name: "n", input: {} }).toExtend<FencedUndo>();
});

test("business code may answer with either, and is handed its transaction", () => {
  const { key, issuedAt } = call;
  void fence.act({ key, issuedAt, name: "n", input: 1 }, async (context) => {
    expectTypeOf(context).toEqualTypeOf<ActionContext>();
    expectTypeOf(context.transaction).toEqualTypeOf<Transaction>();
    return context.now > 0 ? ok({ a: 1 }) : err({ _tag: "No" } as const);
  });
  // @ts-expect-error -- a decision is a Result, not a bare value
  void fence.act({ key, issuedAt, name: "n", input: 1 }, async () => 1);
});

test("answers are told apart by their tags", async () => {
  const { key, issuedAt } = call;
  const answer = await fence.act({ key, issuedAt, name: "n", input: 1 }, async () => ok(1));
  if (answer._tag === "Replayed") expectTypeOf(answer.decision._tag).toEqualTypeOf<"Succeeded" | "Rejected">();
  const undone = await fence.undo({ key, issuedAt, name: "n", input: 1, undoes: call.undoes }, async () => undefined);
  if (undone._tag === "Executed") expectTypeOf(undone.decision._tag).toEqualTypeOf<"Undone" | "NothingToUndo">();
  // @ts-expect-error -- an undo is never refused for its age
  if (undone._tag === "Expired") throw undone;
});
