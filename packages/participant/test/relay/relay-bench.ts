/** A relay on a real outbox, with time that is moved by hand and a receiver that can be told to fail. */
import type { CloudEvent, NotDelivered, RelayNews, RelayOptions } from "@backstep/participant";
import { createRelay } from "@backstep/participant";
import { createMemoryStore, type Outbox, type OutboxEvent } from "@backstep/saga-core/journal";
import { err, ok, type Result } from "neverthrow";
import { ManualTimer } from "../manual-timer.ts";

export class RelayBench {
  readonly timer = new ManualTimer();
  readonly store = createMemoryStore();
  readonly news: RelayNews[] = [];
  /** Ids in the order in which they were accepted. */
  readonly delivered: string[] = [];
  readonly attempted: string[] = [];
  /** Ids that are refused, and how. */
  readonly failing = new Map<string, NotDelivered | "throws" | "hangs">();
  #sagas = 0;

  start(over: Partial<RelayOptions> = {}) {
    return createRelay({
      outbox: this.store.outbox,
      publisher: { publish: (event) => this.#publish(event) },
      timer: this.timer,
      random: () => 1,
      observe: (news) => void this.news.push(news),
      ...over,
    });
  }

  /** Commits events, each as `subject/id`, in one append. */
  async commit(ids: readonly string[], over: Partial<OutboxEvent> = {}): Promise<void> {
    const sagaId = `saga-${this.#sagas++}`;
    const outbox = ids.map((id): OutboxEvent => {
      const subject = id.split("/").at(0) ?? "";
      return {
        id,
        type: "t.v1",
        source: "/s",
        time: "2030-01-01T00:00:00Z",
        sagaId,
        data: '{"a":1}',
        ...(subject === "" ? {} : { subject }),
        ...over,
      };
    });
    const request = { sagaId, sequence: 0, epoch: 1, saga: { name: "s", version: 1 }, status: "completed", record: "x", outbox } as const;
    (await this.store.append(request))._unsafeUnwrap();
  }

  async pending(): Promise<readonly string[]> {
    return (await this.store.outbox.pending({ limit: 100_000 }))._unsafeUnwrap().map(({ id }) => id);
  }

  /** The outbox with some of its calls replaced. */
  outboxWith(over: Partial<Outbox>): Outbox {
    const { outbox } = this.store;
    return { pending: (options) => outbox.pending(options), published: (ids) => outbox.published(ids), ...over };
  }

  async #publish({ id }: CloudEvent): Promise<Result<void, NotDelivered>> {
    this.attempted.push(id);
    const failure = this.failing.get(id);
    if (failure === "throws") throw new RangeError("publisher");
    if (failure === "hangs") return new Promise(() => undefined);
    if (failure !== undefined) return err(failure);
    this.delivered.push(id);
    return ok(undefined);
  }
}

export const refused: NotDelivered = { _tag: "NotDelivered", message: "refused" };
