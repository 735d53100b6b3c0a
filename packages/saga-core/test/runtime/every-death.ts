/**
 * Plays a scene once undisturbed, and then once for every append that it makes and each side of it with the process dying there. Those outside begin again with the next
 * process, as callers do who got no answer: starts, signals and cancellations are safe to repeat. However often it dies, the scene must end the same.
 */
import type { Result } from "neverthrow";
import { expect } from "vitest";
import type { Engine, Saga } from "../../src/index.ts";
import { type Bench, createBench, createParticipants, type OpenOptions } from "./workbench.ts";

type SomeSaga = Saga<string, number, unknown, unknown>;

export interface Scene {
  readonly declare: (participants: ReturnType<typeof createParticipants>, bench: Bench) => SomeSaga;
  /** What those outside do. Time passes while they wait on the bench's timer. The saga's id is `s`. */
  readonly outside: (engine: Engine, saga: SomeSaga, bench: Bench) => Promise<unknown>;
  readonly open?: OpenOptions | undefined;
}

type When = "beforeCommit" | "afterCommit";

interface Played {
  readonly result: Result<unknown, unknown>;
  /** Each call once: a process that takes over asks again. */
  readonly called: readonly string[];
  readonly status: string | undefined;
  readonly appends: number;
}

async function play({ declare, outside, open = {} }: Scene, death?: { readonly nth: number; readonly when: When }): Promise<Played> {
  const bench = createBench();
  const participants = createParticipants();
  const one = declare(participants, bench);
  const died = Promise.withResolvers<"died">();
  let appends = 0;
  const dies = (when: When): "crash" | undefined => {
    if (death?.nth !== appends || death.when !== when) return undefined;
    first.kill();
    died.resolve("died");
    return "crash";
  };
  const first = bench.open([one], {
    ...open,
    faults: {
      beforeCommit: () => {
        appends += 1;
        return dies("beforeCommit");
      },
      afterCommit: () => dies("afterCommit"),
    },
  });
  const lived = outside(first.engine, one, bench).then(() => first.engine.result(one, "s"));
  let answer: Result<unknown, unknown> | "died" = await Promise.race([lived, died.promise]);
  if (answer === "died") {
    const { engine } = bench.open([one], open);
    await outside(engine, one, bench);
    answer = await engine.result(one, "s");
  }
  return {
    result: answer,
    called: [...new Set(participants.told())],
    status: bench.disk.sagas.get("s")?.status,
    appends,
  };
}

/** Expects the same end after every death; hands back the undisturbed one, and how many appends it took. */
export async function expectSameEndAfterEveryDeath(scene: Scene): Promise<Played> {
  const expected = await play(scene);
  expect(expected.appends).toBeGreaterThan(1);
  for (let nth = 1; nth <= expected.appends; nth += 1) {
    for (const when of ["beforeCommit", "afterCommit"] as const) {
      const { result, called, status } = await play(scene, { nth, when });
      expect({ nth, when, result, called, status }).toEqual({
        nth,
        when,
        result: expected.result,
        called: expected.called,
        status: expected.status,
      });
    }
  }
  return expected;
}
