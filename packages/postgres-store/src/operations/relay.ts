/** The two statements of the outbox that a relay uses: list what is pending, forget what was published. Forgetting is no batch's part: doing it twice is harmless. */
import type { OutboxEvent } from "@backstep/saga-core/journal";
import type { Pool } from "pg";
import { parseEvent, type Row } from "../row-codec.ts";

export interface RelayOperations {
  listPending(limit: number): Promise<readonly OutboxEvent[]>;
  forget(ids: readonly string[]): Promise<void>;
}

export function createRelay(pool: Pool, schema: string): RelayOperations {
  return {
    async listPending(limit) {
      const text = `SELECT * FROM ${schema}.outbox ORDER BY position LIMIT $1`;
      const { rows } = await pool.query<Row>({ name: "list_pending", text, values: [limit] });
      return rows.map(parseEvent);
    },
    async forget(ids) {
      await pool.query({ name: "forget_published", text: `DELETE FROM ${schema}.outbox WHERE id = ANY ($1)`, values: [ids] });
    },
  };
}
