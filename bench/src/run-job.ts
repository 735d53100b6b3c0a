/** One contender, one round, one process: hands it its job and hears its answers. */
import { forkHere } from "./children.ts";
import type { Answer, Job } from "./contender-process.ts";
import type { Driven, Load } from "./drive.ts";

export type JobEnd = Exclude<Answer, { readonly _tag: "Cell" }>;

/** @param onCell - Called for each load as soon as it is measured. */
export function runJob(job: Job, onCell: (load: Load, driven: Driven) => void, execArgv: readonly string[] = []): Promise<JobEnd> {
  return new Promise((resolve) => {
    const child = forkHere("contender-process.ts", execArgv);
    let end: JobEnd | undefined;
    child.on("message", (message) => {
      const answer = message as Answer;
      if (answer._tag === "Cell") onCell(answer.load, answer.driven);
      else end = answer;
    });
    child.once("error", (error) => resolve({ _tag: "Failed", message: String(error) }));
    child.once("close", (code, signal) => resolve(end ?? { _tag: "Failed", message: `its process ended with ${code ?? signal}` }));
    child.send(job);
  });
}
