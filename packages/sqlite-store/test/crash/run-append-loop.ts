/** Starts the process that is killed, and collects what it was told was durable. */
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

export interface AppendLoopOptions {
  readonly path: string;
  readonly prefix: string;
  readonly sagaCount: number;
  readonly recordCount: number;
  /** The process kills itself at this COMMIT. */
  readonly at?: { readonly when: "before" | "after"; readonly commit: number } | undefined;
  /** The process is killed once it has been told of so many appends. */
  readonly killAfter?: number | undefined;
}

export interface AppendLoopRun {
  /** `<saga> <sequence>`, in the order they were accepted. */
  readonly accepted: readonly string[];
  readonly signal: NodeJS.Signals | null;
  readonly exitCode: number | null;
  readonly complaints: string;
}

const script = fileURLToPath(new URL("./append-loop.ts", import.meta.url));

export async function runAppendLoop({ path, prefix, sagaCount, recordCount, at, killAfter }: AppendLoopOptions): Promise<AppendLoopRun> {
  const when = at === undefined ? [] : [at.when, String(at.commit)];
  const child = spawn(process.execPath, ["--conditions=source", script, path, prefix, String(sagaCount), String(recordCount), ...when], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  let complaints = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    complaints += text;
  });
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output += text;
    if (killAfter !== undefined && lines(output).length >= killAfter) child.kill("SIGKILL");
  });
  const [exitCode, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (...end) => resolve(end));
  });
  return { accepted: lines(output), signal, exitCode, complaints };
}

/** Only whole lines: the last one may have been cut off. */
function lines(output: string): readonly string[] {
  return output.split("\n").slice(0, -1);
}
