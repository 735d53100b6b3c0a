/** A foreign system for the intent cases: it counts what took effect per key, and can be held, lost or asked. */
import { err, ok, type Result } from "neverthrow";
import type { ForeignAction, ForeignUndo, ForeignVerdict } from "../fence/foreign.ts";
import { type FenceWorld, NO, OUTPUT, type OutOfStock } from "./fence-world.ts";
import { Abort } from "./item-table.ts";

type Output = typeof OUTPUT;
type Verdict = ForeignVerdict<Output, OutOfStock>;

export class ForeignSystem {
  /** Keys of the requests, in order; a repeat is a request too. */
  readonly requests: string[] = [];
  readonly questions: string[] = [];
  readonly undos: unknown[] = [];

  /** Takes effect, once per key, as a gateway with idempotency keys does. */
  readonly charging: ForeignAction<Output, OutOfStock> = {
    effect: async ({ key }) => {
      this.requests.push(key);
      return ok(OUTPUT);
    },
  };

  readonly refusing: ForeignAction<Output, OutOfStock> = {
    effect: async ({ key }) => {
      this.requests.push(key);
      return err(NO);
    },
  };

  /** The answer is lost, and perhaps the request. */
  readonly losing: ForeignAction<Output, OutOfStock> = {
    effect: async ({ key }) => {
      this.requests.push(key);
      throw new Abort();
    },
  };

  /** Says what became of a key instead of being asked to repeat it. */
  answering(verdict: Verdict): ForeignAction<Output, OutOfStock> {
    return {
      ...this.charging,
      query: async ({ key }) => {
        this.questions.push(key);
        return verdict;
      },
    };
  }

  refunding(action: ForeignAction<Output, OutOfStock> = this.charging): ForeignUndo<Output, OutOfStock> {
    return {
      action,
      effect: async ({ undone }) => {
        this.undos.push(undone);
      },
    };
  }
}

/** An attempt whose process stopped in the middle of the foreign effect, and what it would have answered. */
export interface Held {
  /** Lets the process go on, too late. */
  release(result: Result<Output, OutOfStock>): Promise<unknown>;
}

/** Starts an intended action and stops it where the request is on its way. */
export async function hold(world: FenceWorld, key: string, foreign: Partial<ForeignAction<Output, OutOfStock>> = {}): Promise<Held> {
  const started = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<Result<Output, OutOfStock>>();
  const acting = world.fence.intend(world.action(key, { issuedAt: world.context.clock.now() }), {
    ...foreign,
    effect: () => {
      started.resolve();
      return answer.promise;
    },
  });
  await started.promise;
  return {
    release(result) {
      answer.resolve(result);
      return acting;
    },
  };
}
