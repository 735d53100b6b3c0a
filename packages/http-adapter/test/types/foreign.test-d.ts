// Goal: the parts of a foreign effect are one thing, whether a contract's service or a fence speaks of them. Method: the two packages' types are held against each other; neither may import the other.
import type * as contract from "@backstep/contract";
import type * as participant from "@backstep/participant";
import type { Transaction } from "@backstep/participant";
import { expectTypeOf, test } from "vitest";

interface Refused {
  readonly _tag: "Refused";
}

// oxlint-disable-next-line typescript/consistent-type-definitions -- an interface would be no JSON to the fence
type Receipt = { readonly receiptId: string };

test("an action, a verdict and a context are the same on both sides", () => {
  expectTypeOf<contract.ForeignAction<Transaction, Receipt, Refused>>().toEqualTypeOf<participant.ForeignAction<Receipt, Refused>>();
  expectTypeOf<contract.ForeignVerdict<Receipt, Refused>>().toEqualTypeOf<participant.ForeignVerdict<Receipt, Refused>>();
  expectTypeOf<contract.ForeignContext>().toEqualTypeOf<participant.ForeignContext>();
});

test("an undo that was written for a fence fits a service; the service's own knows what it takes back", () => {
  expectTypeOf<participant.ForeignUndo<Receipt, Refused>>().toExtend<contract.ForeignUndo<Transaction, Receipt, Refused>>();
  expectTypeOf<Parameters<contract.ForeignUndo<Transaction, Receipt, Refused>["effect"]>[0]["undone"]>().toEqualTypeOf<Receipt>();
});
