/** Everybody who takes part, in the order of the tables; with what each makes durable and when, for a figure means little without it. */
import type { StartContender } from "./contender.ts";

export interface Entrant {
  readonly name: string;
  readonly label: string;
  /** What survives, and from when on; `undefined`: nothing does. Durable and other figures are kept in tables of their own. */
  readonly durable: string | undefined;
  /** Against which ceiling it is held; a ceiling has none. */
  readonly ceiling?: string | undefined;
  readonly needsPostgres: boolean;
  /** Its file. A path and no import: a run loads those who take part, and a peer need not even be installed. */
  readonly file: string;
  /** The packages whose versions are printed with the figures. */
  readonly packages: readonly string[];
}

const POSTGRES_ROW = "waits for fsync";

export const ENTRANTS: readonly Entrant[] = [
  {
    name: "backstep-memory",
    label: "Backstep, memory",
    durable: undefined,
    needsPostgres: false,
    file: "contenders/backstep-memory.ts",
    packages: ["@backstep/saga-core"],
  },
  {
    name: "ceiling-sqlite",
    label: "ceiling: bare node:sqlite table",
    durable:
      "one row at the start, one per outcome, one at the end; each saga waits for its own rows, rows of all sagas share a commit, fsync (FULL)",
    needsPostgres: false,
    file: "contenders/ceiling-sqlite.ts",
    packages: [],
  },
  {
    name: "backstep-sqlite",
    label: "Backstep, SQLite",
    durable:
      "the intent of every step and undo before it acts, together with the outcome of the one before; sagas share a commit, fsync (FULL)",
    ceiling: "ceiling-sqlite",
    needsPostgres: false,
    file: "contenders/backstep-sqlite.ts",
    packages: ["@backstep/saga-core", "@backstep/sqlite-store"],
  },
  {
    name: "ceiling-postgres",
    label: "ceiling: bare Postgres table",
    durable: `one row at the start, one per outcome, one at the end; each saga waits for its own rows, rows of all sagas share an insert, which ${POSTGRES_ROW}`,
    needsPostgres: true,
    file: "postgres/ceiling-postgres.ts",
    packages: ["pg"],
  },
  {
    name: "backstep-postgres",
    label: "Backstep, Postgres",
    durable: `the intent of every step and undo before it acts, together with the outcome of the one before; sagas share a commit, which ${POSTGRES_ROW}`,
    ceiling: "ceiling-postgres",
    needsPostgres: true,
    file: "postgres/backstep-postgres.ts",
    packages: ["@backstep/saga-core", "@backstep/postgres-store"],
  },
  {
    name: "dbos",
    label: "DBOS, Postgres",
    durable: `the workflow at its start and its end, each step's outcome after it; no intent; one commit each, which ${POSTGRES_ROW}`,
    ceiling: "ceiling-postgres",
    needsPostgres: true,
    file: "peers/dbos.ts",
    packages: ["@dbos-inc/dbos-sdk"],
  },
  {
    name: "openworkflow-sqlite",
    label: "openworkflow, SQLite",
    durable: "the run at its start, claim and end, each step before it acts and after it; one commit each, fsync (FULL)",
    ceiling: "ceiling-sqlite",
    needsPostgres: false,
    file: "peers/openworkflow-sqlite.ts",
    packages: ["openworkflow"],
  },
  {
    name: "openworkflow-postgres",
    label: "openworkflow, Postgres",
    durable: `the run at its start, claim and end, each step before it acts and after it; one commit each, which ${POSTGRES_ROW}`,
    ceiling: "ceiling-postgres",
    needsPostgres: true,
    file: "peers/openworkflow-postgres.ts",
    packages: ["openworkflow", "postgres"],
  },
  {
    name: "restate",
    label: "Restate, one node",
    durable: "the invocation at its start and its end, each step's outcome after it; in the server's own log, written in batches, fsync",
    needsPostgres: false,
    file: "peers/restate.ts",
    packages: ["@restatedev/restate-sdk", "@restatedev/restate-server"],
  },
  {
    name: "effect",
    label: "Effect cluster workflow, Postgres",
    durable: `the run's request and its reply, each activity's request before it and its reply after it; one commit each, which ${POSTGRES_ROW}`,
    ceiling: "ceiling-postgres",
    needsPostgres: true,
    file: "peers/effect.ts",
    packages: ["effect", "@effect/sql-pg"],
  },
];

export function entrantNamed(name: string): Entrant {
  const found = ENTRANTS.find((entrant) => entrant.name === name);
  if (found === undefined) throw new Error(`no contender is called ${name}; there are ${ENTRANTS.map((each) => each.name).join(", ")}`);
  return found;
}

/** @throws when its packages are not installed. */
export async function loadContender({ file }: Entrant): Promise<StartContender> {
  const module = (await import(new URL(file, import.meta.url).href)) as { readonly start: StartContender };
  return module.start;
}
