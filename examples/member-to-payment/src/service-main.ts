/** The entry of every service process: `service-main.ts <name>`, with its settings in the environment. Says `ready <url>` when it answers. */

import { serve } from "@hono/node-server";
import { hostService } from "./hosting.ts";
import { DEFAULT_PATIENCE, processName, readSettings } from "./settings.ts";

const name = processName.parse(process.argv[2]);
const settings = readSettings(process.env["BACKSTEP_SERVICE"]);
const service = hostService(name, {
  dataDir: settings.dataDir,
  peer(peer) {
    const baseUrl = settings.peers[peer];
    if (baseUrl === undefined) throw new TypeError(`service ${name} needs the URL of ${peer} in its settings`);
    return { baseUrl };
  },
  apiKey: settings.apiKey,
  patience: settings.patience ?? DEFAULT_PATIENCE,
  answerWithinMs: settings.answerWithinMs ?? 10_000,
  onError: (error) => console.error(`[${name}]`, error),
});

const server = serve({ fetch: service.fetch, port: settings.port, hostname: "127.0.0.1", overrideGlobalObjects: false }, (address) => {
  console.log(`ready http://127.0.0.1:${address.port}`);
});

let ending = false;
async function end(): Promise<void> {
  if (ending) return;
  ending = true;
  server.close();
  await service.close();
  process.exit(0);
}

process.on("SIGTERM", () => void end());
process.on("SIGINT", () => void end());
// The parent holds the other end: when it is gone, however it went, so is this.
process.stdin.on("end", () => void end()).resume();
