// Goal: what an author adds about participants is asked at the right times, and a violation shows what differs. Method: participants of plain numbers, changed between the two.
import { describe, expect, test } from "vitest";
import { conserve, invariant, law, type ParticipantLaw } from "../../src/oracles/conserve.ts";

interface Shop {
  stock: { readonly tea: number; readonly cup: number };
  readonly sold: { tea: number };
}

const shop = (): Shop => ({ stock: { tea: 3, cup: 1 }, sold: { tea: 0 } });

async function judged(law: ParticipantLaw<Shop>, change: (shop: Shop) => void) {
  const participants = shop();
  const end = await law.begin(participants);
  change(participants);
  return end({ participants, answers: [{ _tag: "Completed" }], histories: [] });
}

const sell = (one: Shop): void => {
  one.stock = { ...one.stock, tea: 2 };
  one.sold.tea = 1;
};
const lose = (one: Shop): void => {
  one.stock = { ...one.stock, tea: 2 };
};

describe("conserve", () => {
  const tea = conserve("tea", ({ stock, sold }: Shop) => stock.tea + sold.tea);

  test("holds when what is measured is the same in the end", async () => {
    expect(await judged(tea, sell)).toEqual([]);
  });

  test("tells both values when it is not", async () => {
    expect(await judged(tea, lose)).toEqual([
      {
        law: "tea",
        says: "tea is conserved",
        message: "it was 3 at the beginning, and is 2 at the end",
        values: { expected: "3", found: "2" },
      },
    ]);
  });

  test("shows of objects what differs", async () => {
    const [violation] = await judged(
      conserve("stock", async ({ stock }: Shop) => stock),
      lose,
    );
    expect(violation?.values).toEqual({ expected: '{"tea":3}', found: '{"tea":2}' });
  });

  test("does not take the order of members for a difference", async () => {
    expect(
      await judged(
        conserve("stock", ({ stock }: Shop) => stock),
        (one) => {
          one.stock = { cup: 1, tea: 3 };
        },
      ),
    ).toEqual([]);
  });

  test("refuses what is no JSON before anything happens", async () => {
    const dates = conserve("dates", () => ({ at: new Map() }));
    await expect(dates.begin(shop())).rejects.toThrow('conserve("dates") measures JSON; /at is an instance of Map');
    await expect(conserve("nothing", () => undefined).begin(shop())).rejects.toThrow(TypeError);
  });

  test("is broken by a measure that throws in the end", async () => {
    const fragile = conserve("fragile", ({ stock }: Shop) => {
      if (stock.tea < 3) throw new Error("no tea");
      return 0;
    });
    expect((await judged(fragile, lose)).map(({ message }) => message)).toEqual(["it could not be asked: Error: no tea"]);
  });
});

describe("invariant and law", () => {
  const stocked = invariant("stock is never negative", ({ stock }: Shop) => (stock.tea < 3 ? `${stock.tea} are left` : undefined));

  test("hold when nothing is wrong", async () => {
    expect(await judged(stocked, () => undefined)).toEqual([]);
    expect(
      await judged(
        law("silent", async () => []),
        lose,
      ),
    ).toEqual([]);
  });

  test("tell what is wrong, once for each", async () => {
    expect(await judged(stocked, lose)).toEqual([
      { law: "stock is never negative", says: "stock is never negative", message: "2 are left" },
    ]);
    const both = law("two", ({ answers, participants }: { readonly answers: readonly unknown[]; readonly participants: Shop }) => [
      `${answers.length} answer`,
      `${participants.stock.tea} teas`,
    ]);
    expect((await judged(both, lose)).map(({ message }) => message)).toEqual(["1 answer", "2 teas"]);
  });

  test("are broken when they throw", async () => {
    const broken = invariant("broken", () => {
      throw new Error("oops");
    });
    expect((await judged(broken, lose)).map(({ message }) => message)).toEqual(["it could not be asked: Error: oops"]);
  });
});
