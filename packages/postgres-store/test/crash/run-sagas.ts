/** Starts the process that drives the sagas, and kills it when it has said enough. */
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

export interface SagasOptions {
  readonly connectionString: string;
  readonly schema: string;
  readonly ledger: string;
  readonly laterMs: number;
  readonly hangsAt?: string | undefined;
  /** Given every line so far. */
  readonly killWhen: (lines: readonly string[]) => boolean;
}

export interface SagasRun {
  readonly signal: NodeJS.Signals | null;
  readonly exitCode: number | null;
  readonly complaints: string;
}

const script = fileURLToPath(new URL("./drive-sagas.ts", import.meta.url));

export async function runSagas({ connectionString, schema, ledger, laterMs, hangsAt, killWhen }: SagasOptions): Promise<SagasRun> {
  const hanging = hangsAt === undefined ? [] : [hangsAt];
  const child = spawn(process.execPath, ["--conditions=source", script, connectionString, schema, ledger, String(laterMs), ...hanging], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  let complaints = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    complaints += text;
  });
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output += text;
    if (killWhen(output.split("\n").slice(0, -1))) child.kill("SIGKILL");
  });
  const [exitCode, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (...end) => resolve(end));
  });
  return { signal, exitCode, complaints };
}
