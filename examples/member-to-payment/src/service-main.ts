/** The entry of every service process: `service-main.ts <name>`, with its settings in the environment. Says `ready <url>` when it answers, or one line why it cannot. */

import { statSync } from "node:fs";
import { resolve } from "node:path";
import { problemResponse } from "@backstep/http-adapter/server";
import { serve } from "@hono/node-server";
import { hostService } from "./hosting.ts";
import type { HostedService } from "./participant-hosting.ts";
import { DEFAULT_PATIENCE, PROCESS_NAMES, type ProcessName, processName, readSettings, type ServiceSettings } from "./settings.ts";

let service: HostedService | undefined;
let ending = false;

const name = orGiveUp(readName);
const settings = orGiveUp(() => readSettings(process.env["BACKSTEP_SERVICE"]));

// The port first: whoever finds it taken leaves alone the data, which belongs to whoever has taken it.
const server = serve({ fetch: answer, port: settings.port, hostname: "127.0.0.1", overrideGlobalObjects: false }, (address) => {
  host(name, settings).then(
    (hosted) => {
      service = hosted;
      console.log(`ready http://127.0.0.1:${address.port}`);
    },
    (error: unknown) => giveUp(messageOf(error)),
  );
});
server.on("error", (error: NodeJS.ErrnoException) => {
  giveUp(error.code === "EADDRINUSE" ? `port ${settings.port} is taken: is another npm start running?` : error.message);
});

process.on("SIGTERM", () => void end());
// Ctrl-C reaches parent and children alike; a child on the leash leaves it to its parent when to end.
process.on("SIGINT", () => {
  if (process.stdin.isTTY) void end();
});
// The parent holds the other end: when it is gone, however it went, so is this.
process.stdin.on("end", () => void end()).resume();

function readName(): ProcessName {
  const parsed = processName.safeParse(process.argv[2]);
  if (!parsed.success) throw new TypeError(`there is no service ${process.argv[2] ?? "without a name"}, only ${PROCESS_NAMES.join(", ")}`);
  return parsed.data;
}

async function host(own: ProcessName, settings: ServiceSettings): Promise<HostedService> {
  const { dataDir, database, peers, apiKey, patience, answerWithinMs, leaseMs, inMemoryMax } = settings;
  // Without a trailing slash, with which a file would be no file but an error.
  if (statSync(resolve(dataDir), { throwIfNoEntry: false })?.isDirectory() === false) throw new TypeError(`${dataDir} is not a folder`);
  return hostService(own, {
    dataDir,
    database,
    peer(peer) {
      const baseUrl = peers[peer];
      if (baseUrl === undefined) throw new TypeError(`service ${own} needs the URL of ${peer} in its settings`);
      return { baseUrl };
    },
    apiKey,
    patience: patience ?? DEFAULT_PATIENCE,
    answerWithinMs: answerWithinMs ?? 10_000,
    leaseMs,
    inMemoryMax,
    onError: (error) => console.error(`[${own}]`, error),
  });
}

/** Who knows the port from the process before may ask too early. */
async function answer(request: Request): Promise<Response> {
  return service === undefined ? problemResponse("unavailable", { detail: "the service is starting" }) : service.fetch(request);
}

async function end(): Promise<void> {
  if (ending) return;
  ending = true;
  server.close();
  await service?.close();
  process.exit(0);
}

function orGiveUp<Value>(attempt: () => Value): Value {
  try {
    return attempt();
  } catch (error) {
    return giveUp(messageOf(error));
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function giveUp(why: string): never {
  console.error(why);
  process.exit(1);
}
