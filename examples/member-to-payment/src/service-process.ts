/** A service as a process of its own: started, awaited until it answers, stopped or killed. Ends with its parent, whatever becomes of that. */
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { ProcessName, ServiceSettings } from "./settings.ts";

export interface ServiceProcess {
  readonly name: ProcessName;
  readonly url: string;
  readonly pid: number;
  /** SIGTERM: finishes what is in flight. Resolves when the process is gone. */
  stop(): Promise<void>;
  /** SIGKILL: no chance to finish anything. Resolves when the process is gone. */
  kill(): Promise<void>;
  /** Resolves when the process is gone, for whatever reason. */
  readonly gone: Promise<void>;
}

const MAIN = fileURLToPath(new URL("service-main.ts", import.meta.url));

/**
 * Rejects with the service's own words when it ends before it is ready.
 *
 * @param words - Where it says what goes wrong. Default: where this process does.
 */
export function startServiceProcess(
  name: ProcessName,
  settings: ServiceSettings,
  words: NodeJS.WritableStream = process.stderr,
): Promise<ServiceProcess> {
  const child = spawn(process.execPath, ["--conditions=source", "--disable-warning=ExperimentalWarning", MAIN, name], {
    // The pipe to stdin is the leash: the child ends when it closes, so a killed parent leaves nothing behind.
    stdio: ["pipe", "pipe", "pipe"],
    env: { ...process.env, BACKSTEP_SERVICE: JSON.stringify(settings) },
  });
  const gone = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const lastWords: string[] = [];
  child.stderr.on("data", (chunk: Buffer) => lastWords.push(chunk.toString()));
  return new Promise((resolve, reject) => {
    createInterface({ input: child.stdout }).on("line", (line) => {
      const url = /^ready (http:\S+)$/.exec(line)?.[1];
      if (url !== undefined) {
        child.stderr.pipe(words, { end: false });
        resolve(handle(name, url, child, gone));
      }
    });
    child.once("error", reject);
    // Not `exit`, at which its last words may still be on their way.
    child.once("close", (code) =>
      reject(new Error(lastWords.join("").trim() || `service ${name} ended with ${code ?? "a signal"} before it was ready`)),
    );
  });
}

function handle(name: ProcessName, url: string, child: ChildProcess, gone: Promise<void>): ServiceProcess {
  const end = (signal: NodeJS.Signals): Promise<void> => {
    child.kill(signal);
    return gone;
  };
  return { name, url, pid: child.pid ?? -1, stop: () => end("SIGTERM"), kill: () => end("SIGKILL"), gone };
}
