/** Laws over participants are typed by what they look at, and fit wherever all of it is there. */
import { expectTypeOf, test } from "vitest";
import { type AtEnd, conserve, invariant, law, type ParticipantLaw } from "../../src/index.ts";

interface Shop {
  readonly stock: number;
  readonly points: number;
}

function proved<Participants>(_participants: () => Participants, laws: readonly ParticipantLaw<Participants>[]): number {
  return laws.length;
}

test("participants are inferred from where they are made", () => {
  proved(
    (): Shop => ({ stock: 1, points: 2 }),
    [
      conserve("stock", ({ stock }) => {
        expectTypeOf(stock).toEqualTypeOf<number>();
        return stock;
      }),
      invariant("points", ({ points }) => (points < 0 ? "overdrawn" : undefined)),
      law("both", (end) => {
        expectTypeOf(end).toEqualTypeOf<AtEnd<Shop>>();
        return undefined;
      }),
    ],
  );
});

test("a law over a part of them fits", () => {
  const stock = conserve("stock", (shop: Pick<Shop, "stock">) => shop.stock);
  proved((): Shop => ({ stock: 1, points: 2 }), [stock]);
});

test("what is wrong is told in words", () => {
  // @ts-expect-error A number is no word.
  invariant("stock", (shop: Shop) => shop.stock);
});
