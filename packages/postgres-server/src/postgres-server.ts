/**
 * A server with an empty cluster in a folder of its own. It can be stopped, killed and started again on the same data and the same port, as production does to it, and is
 * gone with its folder when it is closed or when the process that started it ends.
 */
import { type ChildProcess, fork, spawnSync } from "node:child_process";
import { chownSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findBinaries } from "./binaries.ts";
import { freePort } from "./free-port.ts";
import { nobody } from "./nobody.ts";
import { reachableBinaries } from "./reachable.ts";

export interface PostgresServerOptions {
  /**
   * Whether a commit waits for the disk. Default `false`: what was committed survives the server, killed or not, but not the machine. Benchmarks set it.
   */
  readonly durable?: boolean | undefined;
  /** Further settings of the server. */
  readonly settings?: Readonly<Record<string, string | number>> | undefined;
}

export interface PostgresServer {
  readonly port: number;
  /** Where its data are. */
  readonly folder: string;
  /** Of a database, `postgres` without one; as the superuser, without a password. */
  url(database?: string): string;
  /** The process id of the running server; `undefined` while there is none. */
  readonly pid: number | undefined;
  /** Starts it again after `stop` or `kill`. Resolves when it accepts connections; it recovers first, if it has to. */
  start(): Promise<void>;
  /** Cuts every connection, rolls back what is open, and ends. */
  stop(): Promise<void>;
  /** Ends it at once, without a word to anybody: it recovers from its log at the next start. */
  kill(): Promise<void>;
  /** Stops it for good, and removes its data. */
  close(): Promise<void>;
}

const HOST = "127.0.0.1";
/** A commit reaches the system's cache before it is answered, so that it survives the server. */
const VOLATILE = { fsync: "off", full_page_writes: "off" } as const;
const DURABLE = { fsync: "on" } as const;

interface Message {
  readonly pid?: number;
  readonly ready?: true;
  readonly ended?: string;
}

interface Running {
  readonly keeper: ChildProcess;
  readonly pid: number;
  readonly ended: Promise<void>;
}

/** @throws when there are no binaries for this platform, or the server does not come up; the message has its last words. */
export async function startPostgres({ durable = false, settings = {} }: PostgresServerOptions = {}): Promise<PostgresServer> {
  const installed = await findBinaries();
  const place = makePlace();
  const removePlace = (): void => rmSync(place, { recursive: true, force: true });
  const port = await freePort();
  const all = { listen_addresses: HOST, unix_socket_directories: "", ...(durable ? DURABLE : VOLATILE), ...settings };
  const given = Object.entries(all).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
  const parameters = ["-D", join(place, "data"), "-p", String(port), ...given];
  let running: Running | undefined;

  async function start(): Promise<void> {
    if (running !== undefined) return;
    const begun = await begin(place, postgres, parameters);
    running = begun;
    void begun.ended.then(() => {
      if (running === begun) running = undefined;
    });
  }

  async function end(signal: NodeJS.Signals): Promise<void> {
    if (running === undefined) return;
    const { keeper, pid, ended } = running;
    // Whoever waits for its end is held by it.
    keeper.ref();
    process.kill(pid, signal);
    await ended;
  }

  let postgres: string;
  try {
    const binaries = reachableBinaries(installed, place);
    postgres = binaries.postgres;
    makeCluster(binaries.initdb, place);
    await start();
  } catch (error) {
    removePlace();
    throw error;
  }
  process.once("exit", removePlace);

  return {
    port,
    folder: place,
    url: (database = "postgres") => `postgres://postgres@${HOST}:${port}/${database}`,
    get pid() {
      return running?.pid;
    },
    start,
    stop: () => end("SIGINT"),
    kill: () => end("SIGQUIT"),
    async close() {
      await end("SIGINT");
      process.off("exit", removePlace);
      removePlace();
    },
  };
}

/** In a folder that the server's user can get to: the one for temporary files may be somebody's own. */
function makePlace(): string {
  const ids = nobody();
  const folders = ids.uid === undefined ? [tmpdir()] : [tmpdir(), "/tmp", "/var/tmp"];
  const folder = folders.find((each) => ids.uid === undefined || spawnSync("ls", [each], { ...ids, stdio: "ignore" }).status === 0);
  const place = mkdtempSync(join(folder ?? tmpdir(), "backstep-postgres-"));
  if (ids.uid !== undefined && ids.gid !== undefined) chownSync(place, ids.uid, ids.gid);
  return place;
}

function makeCluster(initdb: string, place: string): void {
  const ids = nobody();
  const parameters = ["-D", join(place, "data"), "-U", "postgres", "-A", "trust", "--no-sync", "-E", "UTF8", "--locale=C"];
  const made = spawnSync(initdb, parameters, { ...ids, encoding: "utf8" });
  if (made.status !== 0) throw new Error(`initdb failed: ${made.stderr}${made.error?.message ?? ""}`);
}

function begin(place: string, postgres: string, parameters: readonly string[]): Promise<Running> {
  const keeper = fork(join(import.meta.dirname, "keeper.ts"), [place, postgres, ...parameters], { stdio: "ignore", execArgv: [] });
  const ended = new Promise<void>((resolve) => keeper.once("exit", () => resolve()));
  return new Promise((resolve, reject) => {
    let pid: number | undefined;
    keeper.on("message", (message: Message) => {
      if (message.pid !== undefined) pid = message.pid;
      if (message.ready === true && pid !== undefined) {
        // It is ended when its parent is, and is no reason for the parent to stay.
        keeper.unref();
        keeper.channel?.unref();
        resolve({ keeper, pid, ended });
      }
      if (message.ended !== undefined) reject(new Error(`Postgres did not come up: ${message.ended}`));
    });
    keeper.once("error", reject);
    keeper.once("exit", () => reject(new Error("Postgres did not come up, and its keeper is gone")));
  });
}
