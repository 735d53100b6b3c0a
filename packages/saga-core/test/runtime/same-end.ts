/**
 * Holds a scene to one end, whichever append its process dies before or after. Those outside begin again with the next process, as callers do who got no answer: starts,
 * signals and cancellations bear being repeated.
 */
import type { Result, ResultAsync } from "neverthrow";
import { expect } from "vitest";
import type { Engine, Saga } from "../../src/index.ts";
import { everyDeath } from "./every-death.ts";
import type { Bench, createParticipants, OpenOptions } from "./workbench.ts";

type SomeSaga = Saga<string, number, unknown, unknown>;

export interface Scene {
  readonly declare: (participants: ReturnType<typeof createParticipants>, bench: Bench) => SomeSaga;
  /** What those outside do; time passes while they wait on the bench's timer. The saga's id is `s`. */
  readonly outside: (engine: Engine, saga: SomeSaga, bench: Bench) => Promise<unknown> | ResultAsync<unknown, unknown>;
  readonly open?: OpenOptions | undefined;
}

/** Hands back how the scene ends, and what was called on the way, each call once. */
export async function expectSameEndAfterEveryDeath({ declare, outside, open }: Scene) {
  const { undisturbed, lives } = await everyDeath(async (life) => {
    const one = declare(life.participants, life.bench);
    const result = await life.live(
      [one],
      async (engine): Promise<Result<unknown, unknown>> => {
        await outside(engine, one, life.bench);
        return engine.result(one, "s");
      },
      open,
    );
    return { result, called: life.told().toSorted(), status: life.bench.disk.sagas.get("s")?.status };
  });
  expect(lives.length).toBeGreaterThan(2);
  for (const { death, left } of lives) expect({ death, left }).toEqual({ death, left: undisturbed });
  return undisturbed;
}
