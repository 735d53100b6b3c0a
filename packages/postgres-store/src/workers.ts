/** This worker's lease, on the server's clock. Who drives which saga is written by appends and claims. */
import type { Lease } from "@backstep/saga-core/journal";
import type { Pool } from "pg";
import type { StoreClock } from "./connection/store-clock.ts";
import { integerOf, type Row } from "./row-codec.ts";

export interface LeaseOperations {
  renew(leaseMs: number): Promise<Lease>;
  /** Ends the lease, and tells others if there was one. */
  leave(): Promise<void>;
  /** Leaves, and takes the rows of its lanes along. */
  vanish(): Promise<void>;
}

export interface LeasePorts {
  readonly pool: Pool;
  /** The quoted name of the schema. */
  readonly schema: string;
  readonly channel: string;
  readonly worker: number;
  readonly clock: StoreClock;
}

export function createLease({ pool, schema, channel, worker, clock }: LeasePorts): LeaseOperations {
  const leaveSql = `WITH ended AS (DELETE FROM ${schema}.workers WHERE worker = $1 RETURNING worker) SELECT pg_notify($2, '') FROM ended`;

  return {
    async renew(leaseMs) {
      const sentAt = performance.now();
      const { rows } = await pool.query<Row & { readonly clock: number }>({
        name: "renew_lease",
        text: `INSERT INTO ${schema}.workers (worker, until) VALUES ($1, ${schema}.present() + $2::bigint)
ON CONFLICT (worker) DO UPDATE SET until = excluded.until
RETURNING until, (extract(epoch FROM clock_timestamp()) * 1000)::double precision AS clock`,
        values: [worker, Math.ceil(leaseMs)],
      });
      const [row] = rows;
      if (row === undefined) throw new TypeError("the lease was not written");
      clock.measured(sentAt, row.clock);
      return { until: integerOf(row, "until") };
    },
    async leave() {
      await pool.query(leaveSql, [worker, channel]);
    },
    async vanish() {
      await pool.query(leaveSql, [worker, channel]);
      await pool.query(`DELETE FROM ${schema}.lanes WHERE worker = $1`, [worker]);
    },
  };
}
