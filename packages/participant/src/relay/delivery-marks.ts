/**
 * Which events are known to this relay, and which of them were delivered. Marks go to the outbox behind the deliveries, as many in one call
 * as have gathered; until one is accepted the event is remembered, so that it is not sent again as long as this process lives.
 */
import type { Outbox, OutboxEvent } from "@backstep/saga-core/journal";
import { attempt } from "./attempt.ts";
import type { RelayObserver } from "./relay-news.ts";

export class DeliveryMarks {
  readonly #outbox: Outbox;
  readonly #observe: RelayObserver;
  /** Seen in the outbox and not yet marked there. */
  readonly #known = new Set<string>();
  readonly #unmarked = new Set<string>();
  /** Marked since the look that is under way began; its answer may still hold them. */
  readonly #justMarked = new Set<string>();
  #marking: Promise<void> | undefined;

  constructor(outbox: Outbox, observe: RelayObserver) {
    this.#outbox = outbox;
    this.#observe = observe;
  }

  get knownCount(): number {
    return this.#known.size;
  }

  beginLook(): void {
    this.#justMarked.clear();
  }

  /** Of what the outbox holds, what this relay has not seen. */
  absorb(events: readonly OutboxEvent[]): readonly OutboxEvent[] {
    const fresh = events.filter(({ id }) => !this.#known.has(id) && !this.#justMarked.has(id));
    for (const { id } of fresh) this.#known.add(id);
    return fresh;
  }

  delivered(id: string): void {
    this.#unmarked.add(id);
    void this.flush();
  }

  /** Resolves when everything delivered is marked, or the outbox refused. Never rejects. */
  flush(): Promise<void> {
    if (this.#marking === undefined && this.#unmarked.size > 0) this.#marking = this.#mark();
    return this.#marking ?? Promise.resolve();
  }

  /** Ends in the same step in which it finds nothing left, so that no delivery falls between it and the next call. */
  async #mark(): Promise<void> {
    while (this.#unmarked.size > 0) {
      const ids = [...this.#unmarked];
      const marked = await attempt(() => this.#outbox.published(ids));
      if (marked.isErr()) {
        this.#observe({ _tag: "OutboxUnavailable", message: marked.error.message });
        break;
      }
      for (const id of ids) {
        this.#unmarked.delete(id);
        this.#known.delete(id);
        this.#justMarked.add(id);
      }
    }
    this.#marking = undefined;
  }
}
