/**
 * One life of sagas in which the process dies once, before or after one append, and another one goes on; and all such lives. What is compared is what is left: answers,
 * and what participants were called with, repeats left out, for a call that may have been made is made again under its key.
 */
import type { AnySaga, Engine } from "../../src/index.ts";
import type { AppendRequest } from "../../src/journal.ts";
import { type Bench, createBench, createParticipants, type OpenOptions } from "./workbench.ts";

export interface Death {
  readonly side: "beforeCommit" | "afterCommit";
  /** The append, over all sagas, from 1. */
  readonly nth: number;
}

export interface Life {
  readonly bench: Bench;
  readonly participants: ReturnType<typeof createParticipants>;
  /** Does the work with an engine. When the process dies in it, it is done again with the next one, so it must bear being repeated. */
  live<Value>(sagas: readonly AnySaga[], work: (engine: Engine) => Promise<Value>, options?: OpenOptions): Promise<Value>;
  /** Calls in the order in which they were first made. */
  readonly told: () => readonly string[];
}

function createLife(death: Death | undefined): Life & { readonly appends: () => number } {
  const bench = createBench();
  const participants = createParticipants();
  let appends = 0;
  let toDie = death;
  return {
    bench,
    participants,
    appends: () => appends,
    told: () => [...new Set(participants.told())],
    async live(sagas, work, options = {}) {
      for (;;) {
        const died = Promise.withResolvers<"died">();
        const at = (side: Death["side"], asked?: AppendRequest) => {
          if (asked !== undefined && side === "beforeCommit") appends += 1;
          if (toDie?.side !== side || toDie.nth !== appends) return undefined;
          toDie = undefined;
          died.resolve("died");
          return "crash" as const;
        };
        const { engine, kill } = bench.open(sagas, {
          ...options,
          faults: { beforeCommit: (request) => at("beforeCommit", request), afterCommit: (request) => at("afterCommit", request) },
        });
        const done = await Promise.race([work(engine).then((value) => ({ value })), died.promise]);
        kill();
        if (done !== "died") return done.value;
      }
    },
  };
}

/** Every life with one death, to be held against the one without; `live` is given each of them. */
export async function everyDeath<Left>(
  live: (life: Life) => Promise<Left>,
): Promise<{ readonly undisturbed: Left; readonly lives: readonly { readonly death: Death; readonly left: Left }[] }> {
  const calm = createLife(undefined);
  const undisturbed = await live(calm);
  const deaths = Array.from({ length: calm.appends() }, (_, index) => index + 1).flatMap((nth): readonly Death[] => [
    { side: "beforeCommit", nth },
    { side: "afterCommit", nth },
  ]);
  const lives: { death: Death; left: Left }[] = [];
  for (const death of deaths) lives.push({ death, left: await live(createLife(death)) });
  return { undisturbed, lives };
}
