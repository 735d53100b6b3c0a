/** A write as the queue sees it: what it asks of the database, and whom it answers. */
import type { AppendRequest, StoreUnavailable } from "@backstep/saga-core/journal";
import { err, type Result } from "neverthrow";
import type { Item, ItemResult } from "./item.ts";
import type { SagaTrack } from "./known-sagas.ts";
import type { Lane } from "./lane.ts";

export interface Write {
  /** The saga that it concerns; writes of one saga keep their order. */
  readonly track: SagaTrack<Lane> | undefined;
  /** Of an append: it may go the short way. */
  readonly append: AppendRequest | undefined;
  /** What it asks when it goes the long way. */
  readonly item: () => Item;
  /** Its share of a batch, in characters. */
  readonly characters: number;
  /** Answers it by what became of its item. */
  readonly conclude: (result: ItemResult, generation: number) => void;
  /** Answers that nothing of it was written. */
  readonly refuse: (message: string) => void;
}

export function unavailable(message: string): Result<never, StoreUnavailable> {
  return err({ _tag: "StoreUnavailable", message });
}
