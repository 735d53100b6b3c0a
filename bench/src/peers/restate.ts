/** The workload as a Restate workflow on a server of its own: one `ctx.run` per step and undo, called through the ingress as a client does. */
import * as restate from "@restatedev/restate-sdk";
import { freePort } from "../../../packages/postgres-server/src/free-port.ts";
import type { StartContender } from "../contender.ts";
import { bytesWrittenBy } from "../disk.ts";
import { act, type SagaInput, STEPS, sagaId, settle, stepName, UNDOABLE_STEPS, undo, undoName } from "../workload.ts";
import { startRestateServer } from "./restate-server.ts";

type Ending = "completed" | "compensated";

const sevenSteps = restate.workflow({
  name: "sevenSteps",
  handlers: {
    run: async (context: restate.WorkflowContext, { saga, way }: SagaInput): Promise<Ending> => {
      for (let step = 1; step < STEPS; step++) await context.run(stepName(step), () => acted(saga, step));
      try {
        await context.run(stepName(STEPS), () => decided(saga, way));
        return "completed";
      } catch (error) {
        if (!(error instanceof restate.TerminalError)) throw error;
        for (let step = UNDOABLE_STEPS; step >= 1; step--) await context.run(undoName(step), () => undo(saga));
        return "compensated";
      }
    },
  },
});

function acted(saga: number, step: number): number {
  act(saga);
  return step;
}

function decided(saga: number, way: SagaInput["way"]): number {
  act(saga);
  // The only error that says: do not try again.
  if (way === "failing") throw new restate.TerminalError("refused");
  return STEPS;
}

export const start: StartContender = async ({ folder }) => {
  const port = await freePort();
  await restate.serve({ services: [sevenSteps], port });
  const server = await startRestateServer(folder);
  await server.register(`http://127.0.0.1:${port}`);
  return {
    serverPid: server.pid,
    async runSaga(saga, way) {
      const response = await fetch(`${server.ingressUrl}/sevenSteps/${sagaId(saga)}/run`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ saga, way } satisfies SagaInput),
      });
      const ended: unknown = await response.json();
      if (ended !== (way === "happy" ? "completed" : "compensated")) {
        throw new Error(`saga ${saga}, ${way}: ${response.status} ${JSON.stringify(ended)}`);
      }
      settle(saga, way);
    },
    bytesWritten: () => bytesWrittenBy(server.pid),
    stop: server.stop,
  };
};
