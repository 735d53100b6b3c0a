/** The workload as a DBOS workflow: a step per step, and a step per undo when the last one threw. Every option at its default but the log level. */
import { DBOS } from "@dbos-inc/dbos-sdk";
import type { StartContender } from "../contender.ts";
import { walMeter } from "../postgres/wal-meter.ts";
import { act, type SagaInput, STEPS, sagaId, settle, stepName, UNDOABLE_STEPS, undo, undoName } from "../workload.ts";

async function sevenSteps({ saga, way }: SagaInput): Promise<"completed" | "compensated"> {
  for (let step = 1; step < STEPS; step++) await DBOS.runStep(async () => acted(saga, step), { name: stepName(step) });
  try {
    await DBOS.runStep(async () => decided(saga, way), { name: stepName(STEPS) });
    return "completed";
  } catch {
    for (let step = UNDOABLE_STEPS; step >= 1; step--) await DBOS.runStep(async () => undo(saga), { name: undoName(step) });
    return "compensated";
  }
}

function acted(saga: number, step: number): number {
  act(saga);
  return step;
}

function decided(saga: number, way: SagaInput["way"]): number {
  act(saga);
  if (way === "failing") throw new Error("refused");
  return STEPS;
}

export const start: StartContender = async ({ postgresUrl }) => {
  const url = postgresUrl();
  DBOS.setConfig({ name: "bench", systemDatabaseUrl: url, logLevel: "error" });
  const workflow = DBOS.registerWorkflow(sevenSteps, { name: "seven-steps" });
  await DBOS.launch();
  const meter = await walMeter(url);
  return {
    async runSaga(saga, way) {
      // Called and awaited in the process that runs it: no polling for the result.
      const ended = await DBOS.withNextWorkflowID(sagaId(saga), () => workflow({ saga, way }));
      if (ended !== (way === "happy" ? "completed" : "compensated")) throw new Error(`saga ${saga}, ${way}: ${ended}`);
      settle(saga, way);
    },
    bytesWritten: meter.bytesWritten,
    async stop() {
      await DBOS.shutdown();
      await meter.stop();
    },
  };
};
