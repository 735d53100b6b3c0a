/**
 * The workload as an Effect workflow on a single-runner cluster over Postgres. Steps and undos are activities, the undos registered with `withCompensation`, as its
 * documentation has it; every option at its default.
 */
import { PgClient } from "@effect/sql-pg";
import { Effect, Layer, Logger, ManagedRuntime, Redacted, Schema } from "effect";
import { ClusterWorkflowEngine, SingleRunner } from "effect/cluster";
import { Digest } from "effect/crypto";
import { Activity, Workflow } from "effect/workflow";
import type { StartContender, Way } from "../contender.ts";
import { walMeter } from "../postgres/wal-meter.ts";
import { act, STEPS, sagaId, settle, stepName, UNDOABLE_STEPS, undo, undoName } from "../workload.ts";

const SevenSteps = Workflow.make("SevenSteps", {
  payload: { saga: Schema.Number, way: Schema.String },
  success: Schema.String,
  error: Schema.String,
  idempotencyKey: ({ saga }) => sagaId(saga),
});

function acting(saga: number, step: number) {
  return Activity.make({
    name: stepName(step),
    success: Schema.Number,
    execute: Effect.sync(() => {
      act(saga);
      return step;
    }),
  });
}

function undoing(saga: number, step: number) {
  return Activity.make({ name: undoName(step), execute: Effect.sync(() => undo(saga)) });
}

function deciding(saga: number, way: string) {
  return Activity.make({
    name: stepName(STEPS),
    success: Schema.Number,
    error: Schema.String,
    execute: Effect.suspend(() => {
      act(saga);
      return way === "happy" ? Effect.succeed(STEPS) : Effect.fail("refused");
    }),
  });
}

const sevenSteps = SevenSteps.toLayer(({ saga, way }) =>
  Effect.gen(function* () {
    for (let step = 1; step < STEPS; step++) {
      const acted = acting(saga, step);
      yield* step <= UNDOABLE_STEPS ? acted.pipe(SevenSteps.withCompensation(() => undoing(saga, step))) : acted;
    }
    yield* deciding(saga, way);
    return "completed";
  }),
);

export const start: StartContender = async ({ postgresUrl }) => {
  const url = postgresUrl();
  const engine = ClusterWorkflowEngine.layer.pipe(
    Layer.provide(SingleRunner.layer()),
    Layer.provide([PgClient.layer({ url: Redacted.make(url) }), Digest.layerWebCrypto]),
  );
  const runtime = ManagedRuntime.make(sevenSteps.pipe(Layer.provideMerge(engine), Layer.provide(Logger.layer([]))));
  // Builds the layers, and waits until the workflow is registered.
  await runtime.context();
  const meter = await walMeter(url);
  return {
    async runSaga(saga, way) {
      const ended = await runtime.runPromise(SevenSteps.execute({ saga, way }).pipe(Effect.catch((refused) => Effect.succeed(refused))));
      if (ended !== endingOf(way)) throw new Error(`saga ${saga}, ${way}: ${ended}`);
      settle(saga, way);
    },
    bytesWritten: meter.bytesWritten,
    async stop() {
      await runtime.dispose();
      await meter.stop();
    },
  };
};

function endingOf(way: Way): string {
  return way === "happy" ? "completed" : "refused";
}
