/** One Restate node with its data in a folder, on loopback and free ports, every other option at its default; it ends with the process that started it. */
import { fork } from "node:child_process";
import { createRequire } from "node:module";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { freePort } from "../../../packages/postgres-server/src/free-port.ts";

export interface RestateServer {
  readonly pid: number;
  readonly ingressUrl: string;
  /** Tells the server where the workflows are. */
  register(uri: string): Promise<void>;
  stop(): Promise<void>;
}

const START_MS_MAX = 60_000;
const POLL_MS = 50;

function binary(): string {
  const name = `@restatedev/restate-server-${process.platform}-${process.arch}`;
  return createRequire(import.meta.url).resolve(`${name}/bin/restate-server`);
}

export async function startRestateServer(folder: string): Promise<RestateServer> {
  const [nodePort, ingressPort, adminPort] = [await freePort(), await freePort(), await freePort()];
  const env = {
    ...process.env,
    RESTATE_DISABLE_TELEMETRY: "true",
    RESTATE_LISTEN_MODE: "tcp",
    RESTATE_BIND_ADDRESS: `127.0.0.1:${nodePort}`,
    RESTATE_INGRESS__BIND_ADDRESS: `127.0.0.1:${ingressPort}`,
    RESTATE_ADMIN__BIND_ADDRESS: `127.0.0.1:${adminPort}`,
    RUST_LOG: "error",
  };
  const parameters = ["--base-dir", join(folder, "restate"), "--node-name", "bench", "--no-logo"];
  const keeper = fork(join(import.meta.dirname, "server-keeper.ts"), [folder, binary(), ...parameters], {
    env,
    execArgv: [],
    stdio: "ignore",
  });
  const ended = new Promise<void>((resolve) => keeper.once("exit", () => resolve()));
  const pid = await new Promise<number>((resolve, reject) => {
    keeper.once("message", (message) => resolve((message as { readonly pid: number }).pid));
    keeper.once("error", reject);
    keeper.once("exit", (code) => reject(new Error(`the Restate server did not start; its keeper ended with ${code}`)));
  });
  const ingressUrl = `http://127.0.0.1:${ingressPort}`;
  const adminUrl = `http://127.0.0.1:${adminPort}`;
  await healthy(`${adminUrl}/health`);
  await healthy(`${ingressUrl}/restate/health`);
  return {
    pid,
    ingressUrl,
    async register(uri) {
      const answer = await fetch(`${adminUrl}/deployments`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ uri }),
      });
      if (answer.status !== 201) throw new Error(`Restate did not take the deployment: ${answer.status} ${await answer.text()}`);
    },
    async stop() {
      keeper.kill("SIGTERM");
      await ended;
    },
  };
}

async function healthy(url: string): Promise<void> {
  const deadline = performance.now() + START_MS_MAX;
  for (;;) {
    const answer = await fetch(url).catch(() => undefined);
    if (answer?.ok === true) return;
    if (performance.now() > deadline) throw new Error(`${url} did not become healthy in ${START_MS_MAX} ms`);
    await sleep(POLL_MS);
  }
}
