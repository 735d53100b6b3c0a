/**
 * Stands between a server and whoever started it: when that process is gone, however it went, the server is ended, and its folder removed. Run as
 * `node keeper.ts <folder> <program> <parameters…>`, with a channel to its parent. Tells the parent the server's process id first, then `ready`, and ends as the server ends.
 */
import { spawn } from "node:child_process";
import { rmSync } from "node:fs";
import { nobody } from "./nobody.ts";

const [folder = "", program = "", ...parameters] = process.argv.slice(2);
const server = spawn(program, parameters, { ...nobody(), stdio: ["ignore", "ignore", "pipe"] });
let words = "";

server.once("spawn", () => process.send?.({ pid: server.pid }));
server.stderr.setEncoding("utf8").on("data", (text: string) => {
  words = (words + text).slice(-4_096);
  if (text.includes("ready to accept connections")) process.send?.({ ready: true });
});
server.once("error", (error) => finish(String(error)));
server.once("exit", () => finish(words));

// Immediately: nobody is left who could wait.
process.once("disconnect", () => {
  server.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  server.kill("SIGQUIT");
});
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => server.kill("SIGINT"));

function finish(lastWords: string): void {
  if (process.connected) process.send?.({ ended: lastWords }, () => process.exit());
}
