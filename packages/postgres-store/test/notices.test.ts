// Goal: who listens in vain leaves nothing behind. Method: a real server that refuses the very word, since no channel has an empty name, and that tells who is connected to it.
import pg from "pg";
import { expect, onTestFinished, test } from "vitest";
import { createNotices } from "../src/connection/notices.ts";
import { startServer } from "./server.ts";

const LISTENING = "listens in vain";

test("a refused LISTEN is tried again, and leaves no connection behind each time", async () => {
  const postgres = await startServer();
  onTestFinished(() => postgres.close());
  let tries = 0;
  const notices = createNotices({
    channel: "",
    async connect() {
      const client = new pg.Client({ connectionString: postgres.url(), application_name: LISTENING });
      client.on("error", () => undefined);
      await client.connect();
      tries += 1;
      return client;
    },
  });
  notices.listen(() => undefined);
  await expect.poll(() => tries, { timeout: 20_000 }).toBeGreaterThanOrEqual(4);
  await notices.close();
  const left = () => postgres.query("SELECT count(*)::int AS count FROM pg_stat_activity WHERE application_name = $1", [LISTENING]);
  await expect.poll(left, { timeout: 10_000 }).toEqual([{ count: 0 }]);
});
