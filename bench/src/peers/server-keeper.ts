/**
 * Stands between a server and whoever started it: when that process is gone, however it went, the server is ended, and its folder removed. Run as
 * `node server-keeper.ts <folder> <program> <parameters…>`.
 */
import { spawn } from "node:child_process";
import { rmSync } from "node:fs";

const [folder = "", program = "", ...parameters] = process.argv.slice(2);
const server = spawn(program, parameters, { stdio: "ignore" });

server.once("spawn", () => process.send?.({ pid: server.pid }));
server.once("error", () => process.exit(1));
server.once("exit", (code) => {
  rmSync(folder, { recursive: true, force: true });
  process.exit(code ?? 0);
});
process.once("disconnect", () => server.kill("SIGKILL"));
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => server.kill("SIGTERM"));
