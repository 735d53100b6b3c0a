/** The one shape of every domain error: plain JSON with a literal, capitalised `_tag`, which is the only discriminant in the code base. */
export interface Tagged {
  readonly _tag: Capitalize<string>;
}

const decidedMark: unique symbol = Symbol.for("@backstep/decided") as never;

/**
 * Marks a rejection as the participant's committed decision *for the key*, not only for this attempt: it clears earlier doubt.
 * The mark is no part of the error's data: it is not enumerable, and the journal never sees it.
 */
export function decided<Rejection extends Tagged>(rejection: Rejection): Rejection {
  return Object.defineProperty({ ...rejection }, decidedMark, { value: true });
}

export function isDecided(rejection: object): boolean {
  return decidedMark in rejection;
}

export function isTagged(value: unknown): value is Tagged {
  return typeof value === "object" && value !== null && "_tag" in value && typeof value._tag === "string" && value._tag.length > 0;
}
