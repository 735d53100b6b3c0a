/** The workload in Backstep's own words, through its public door alone, and how one saga of it is run on any store. */
import { createEngine, type Engine, saga, step } from "@backstep/saga-core";
import type { JournalStore } from "@backstep/saga-core/journal";
import { err, ok } from "neverthrow";
import { z } from "zod";
import type { Way } from "../contender.ts";
import { act, type SagaInput, sagaId, settle, stepName, undo } from "../workload.ts";

interface Refused {
  readonly _tag: "Refused";
}

const REFUSED: Refused = { _tag: "Refused" };

function undoable(number: number) {
  return step({
    name: stepName(number),
    run: async ({ saga }: SagaInput) => {
      act(saga);
      return ok(number);
    },
    compensate: async ({ saga }) => {
      undo(saga);
      return ok(undefined);
    },
  });
}

function harmless(number: number) {
  return step.readOnly({
    name: stepName(number),
    run: async ({ saga }: SagaInput) => {
      act(saga);
      return ok(number);
    },
  });
}

const [first, second, third, fourth] = [undoable(1), undoable(2), undoable(3), undoable(4)] as const;
const [fifth, sixth] = [harmless(5), harmless(6)] as const;

const decision = step.pivot({
  name: stepName(7),
  inDoubt: "park",
  run: async ({ saga, way }: SagaInput) => {
    act(saga);
    return way === "happy" ? ok(7) : err(REFUSED);
  },
});

export const sevenSteps = saga({
  name: "seven-steps",
  input: z.object({ saga: z.number(), way: z.enum(["happy", "failing"]) }),
  *run(input) {
    yield* first(input);
    yield* second(input);
    yield* third(input);
    yield* fourth(input);
    yield* fifth(input);
    yield* sixth(input);
    return input;
  },
  pivot: (input) => decision(input),
});

export function engineOn(store: JournalStore): Engine {
  return createEngine({ sagas: [sevenSteps], store });
}

export async function runSevenSteps(engine: Engine, number: number, way: Way): Promise<void> {
  const ended = await engine.run(sevenSteps, { saga: number, way }, { id: sagaId(number) });
  // A bare domain error says: rejected, and everything taken back.
  const asItShould = way === "happy" ? ended.isOk() : ended.isErr() && ended.error._tag === "Refused";
  if (!asItShould) throw new Error(`saga ${number}, ${way}: ended with ${JSON.stringify(ended)}`);
  settle(number, way);
}
