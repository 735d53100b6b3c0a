/** Stands between a server and whoever started it, and ends the server when that process is gone, however it went. Run as `node server-keeper.ts <program> <parameters…>`. */
import { spawn } from "node:child_process";

const [program = "", ...parameters] = process.argv.slice(2);
const server = spawn(program, parameters, { stdio: "ignore" });

server.once("spawn", () => process.send?.({ pid: server.pid }));
server.once("error", () => process.exit(1));
server.once("exit", (code) => process.exit(code ?? 0));
process.once("disconnect", () => server.kill("SIGKILL"));
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => server.kill("SIGTERM"));
