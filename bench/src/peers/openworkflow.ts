/**
 * The workload as an openworkflow workflow, on either of its backends. A rejection is a value that the last step hands back, for a step that throws ends the run or is retried.
 *
 * Its client asks once a second whether a run has ended, and would measure that second; here the caller is told by the write that ends the run, as soon as that is
 * committed. Its worker asks for new runs at its own pace, which is part of how it works.
 */
import { OpenWorkflow } from "openworkflow";
import type { Backend } from "openworkflow/internal";
import type { RunningContender } from "../contender.ts";
import { act, type SagaInput, STEPS, settle, stepName, UNDOABLE_STEPS, undo, undoName } from "../workload.ts";

/** One worker runs as many at once as are ever in flight here. */
const CONCURRENCY = 512;

export async function startOnBackend(backend: Backend): Promise<Pick<RunningContender, "runSaga" | "stop">> {
  // Under load its worker prints a trace for every heartbeat that finds its run ended by then. What goes wrong with a run itself comes out as its ending.
  console.error = () => undefined;
  const endings = new Endings();
  const client = new OpenWorkflow({ backend: tellingTheEnd(backend, endings) });
  const workflow = client.defineWorkflow<SagaInput, string>({ name: "seven-steps" }, async ({ input: { saga, way }, step }) => {
    for (let number = 1; number < STEPS; number++) await step.run({ name: stepName(number) }, () => acted(saga, number));
    const accepted = await step.run({ name: stepName(STEPS) }, () => acted(saga, STEPS) === STEPS && way === "happy");
    if (accepted) return "completed";
    for (let number = UNDOABLE_STEPS; number >= 1; number--) await step.run({ name: undoName(number) }, () => undone(saga));
    return "compensated";
  });
  const worker = client.newWorker({ concurrency: CONCURRENCY });
  await worker.start();
  return {
    async runSaga(saga, way) {
      const { workflowRun } = await workflow.run({ saga, way });
      const ended = await endings.of(workflowRun.id);
      if (ended !== (way === "happy" ? "completed" : "compensated")) throw new Error(`saga ${saga}, ${way}: ${ended}`);
      settle(saga, way);
    },
    async stop() {
      await worker.stop();
      await backend.stop();
    },
  };
}

/** How runs ended, for whoever waits; one that ended before anybody asked is kept until then. */
class Endings {
  readonly #waiting = new Map<string, (ended: string) => void>();
  readonly #early = new Map<string, string>();

  tell(run: string, ended: string): void {
    const waiter = this.#waiting.get(run);
    if (waiter === undefined) this.#early.set(run, ended);
    else waiter(ended);
    this.#waiting.delete(run);
  }

  of(run: string): Promise<string> {
    const early = this.#early.get(run);
    this.#early.delete(run);
    return early === undefined ? new Promise((resolve) => this.#waiting.set(run, resolve)) : Promise.resolve(early);
  }
}

/** The backend, but for two of its writes, which tell what they wrote once it is committed. */
function tellingTheEnd(backend: Backend, endings: Endings): Backend {
  const told: Pick<Backend, "completeWorkflowRun" | "failWorkflowRun"> = {
    async completeWorkflowRun(parameters) {
      const run = await backend.completeWorkflowRun(parameters);
      endings.tell(run.id, typeof run.output === "string" ? run.output : JSON.stringify(run.output));
      return run;
    },
    async failWorkflowRun(parameters) {
      const run = await backend.failWorkflowRun(parameters);
      endings.tell(run.id, `failed: ${JSON.stringify(run.error)}`);
      return run;
    },
  };
  return new Proxy(backend, {
    get(target, property) {
      const value: unknown = Reflect.get(told, property) ?? Reflect.get(target, property);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

function acted(saga: number, step: number): number {
  act(saga);
  return step;
}

function undone(saga: number): boolean {
  undo(saga);
  return true;
}
