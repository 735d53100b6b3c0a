/** Writes that go the long way: what is asked of `write_carefully`, and what it says. */

/** What `write_carefully` says of one item: how it ended, and what belongs to that. */
export type ItemResult = readonly [tag: string, ...values: unknown[]];

/** As `write_carefully` takes them. */
export type Item = Readonly<Record<string, unknown>> & { readonly kind: "append" | "claim" | "release" | "remove" };
