/**
 * The idempotency key: the name of one operation of one saga, equal over its attempts, crashes and workers. Owns its derivation,
 * its limits and its branded type; who stores it and what it fences is the participant's business.
 */
import { err, ok, type Result } from "neverthrow";
import { hash128 } from "./hash.ts";

declare const idempotencyKeyBrand: unique symbol;

/** Printable ASCII without quotes or backslash, 1 to 255 characters, so that it fits an RFC 9651 String unescaped. */
export type IdempotencyKey = string & { readonly [idempotencyKeyBrand]: true };

/** A step's action or its compensation: the two operations that one step names. */
export type Slot = "action" | "compensation";

export interface OperationName {
  readonly sagaId: string;
  /** Scope, step name and occurrence, as the engine numbers them; see `journal/entry.ts`. */
  readonly path: string;
  readonly slot: Slot;
  /** 0 at first; an operator who settles an operation as "not applied" has it issued anew under the next one. */
  readonly generation?: number | undefined;
}

export interface IdempotencyKeyInvalid {
  readonly _tag: "IdempotencyKeyInvalid";
  readonly message: string;
}

export const IDEMPOTENCY_KEY_LENGTH_MAX = 255;

const KEY_PATTERN = /^[\x21\x23-\x5b\x5d-\x7e]+$/;

/**
 * Derives the key of an operation: `<saga id>/<path>/<slot>`, with `~<generation>` behind it from the second generation on. A path too
 * long for 255 characters is replaced by its 128-bit hash, so that deeply nested sagas keep distinct keys.
 */
function derive({ sagaId, path, slot, generation = 0 }: OperationName): IdempotencyKey {
  const suffix = generation === 0 ? slot : `${slot}~${generation}`;
  const plain = `${sagaId}/${path}/${suffix}`;
  const key = plain.length <= IDEMPOTENCY_KEY_LENGTH_MAX ? plain : `${sagaId}/~${hash128(path)}/${suffix}`;
  return key as IdempotencyKey;
}

/** Checks a key that came from outside. */
function parse(text: string): Result<IdempotencyKey, IdempotencyKeyInvalid> {
  if (text.length === 0 || text.length > IDEMPOTENCY_KEY_LENGTH_MAX) {
    return err({
      _tag: "IdempotencyKeyInvalid",
      message: `an idempotency key has 1 to ${IDEMPOTENCY_KEY_LENGTH_MAX} characters; this one has ${text.length}`,
    });
  }
  if (!KEY_PATTERN.test(text)) {
    return err({ _tag: "IdempotencyKeyInvalid", message: "an idempotency key is printable ASCII without spaces, quotes or backslashes" });
  }
  return ok(text as IdempotencyKey);
}

export const idempotencyKey = Object.assign(derive, { parse });
