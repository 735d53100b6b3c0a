/** A participant in memory that remembers what it did under each key, so that doing it again, or undoing it first, is harmless. */
import { err, ok, type Result } from "neverthrow";

export type AccountRefusal =
  | { readonly _tag: "AccountClosed"; readonly owner: string }
  | { readonly _tag: "InsufficientFunds"; readonly owner: string };

export function createLedger(balances: Record<string, number>) {
  const moved = new Map<string, { readonly owner: string; readonly amount: number }>();
  const closed = new Set<string>();
  const balanceOf = (owner: string): number => balances[owner] ?? 0;
  return {
    balances,
    close: (owner: string) => closed.add(owner),
    move: async (owner: string, amount: number, key: string): Promise<Result<{ readonly balance: number }, AccountRefusal>> => {
      if (moved.has(key)) return ok({ balance: balanceOf(owner) });
      if (closed.has(owner)) return err({ _tag: "AccountClosed", owner });
      if (balanceOf(owner) + amount < 0) return err({ _tag: "InsufficientFunds", owner });
      moved.set(key, { owner, amount });
      balances[owner] = balanceOf(owner) + amount;
      return ok({ balance: balanceOf(owner) });
    },
    takeBack: async (key: string): Promise<Result<undefined, never>> => {
      const { owner, amount } = moved.get(key) ?? { owner: "", amount: 0 };
      moved.set(key, { owner, amount: 0 });
      if (amount !== 0) balances[owner] = balanceOf(owner) - amount;
      return ok(undefined);
    },
  };
}
