/** Processes that measure, and the certainty that none is left behind: not after a failure, and not when somebody presses Ctrl-C. */
import { type ChildProcess, fork } from "node:child_process";
import { join } from "node:path";

export const EXEC_ARGV = ["--conditions=source", "--disable-warning=ExperimentalWarning"] as const;

const running = new Set<ChildProcess>();

/** @param file - Beside this one, or below. */
export function forkHere(file: string, execArgv: readonly string[] = []): ChildProcess {
  // Restate's SDK reads how much it should say before anybody could tell it otherwise.
  const env = { ...process.env, RESTATE_LOGGING: "ERROR" };
  const child = fork(join(import.meta.dirname, file), [], {
    env,
    execArgv: [...EXEC_ARGV, ...execArgv],
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  running.add(child);
  child.once("exit", () => running.delete(child));
  return child;
}

process.once("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(130));
