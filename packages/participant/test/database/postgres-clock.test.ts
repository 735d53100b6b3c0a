// Goal: processes on one database agree on the time, which never runs backwards. Method: hosts and servers whose clocks are moved by hand, and a real server.
import { createPostgresDatabase } from "@backstep/participant/postgres";
import fc from "fast-check";
import pg from "pg";
import { describe, expect, onTestFinished, test } from "vitest";
import { PostgresClock } from "../../src/database/postgres-clock.ts";
import { freshSchema, sharedServer } from "../postgres-harness.ts";

const HELD_MS = 3_000;

describe("the clock of a server", () => {
  test("is the host's until the server has answered, and the server's from then on", () => {
    let host = 1_000.7;
    const clock = new PostgresClock(() => host);
    expect(clock.now()).toBe(1_000);
    clock.learn(5_000, 1_000, 1_002);
    host = 1_011;
    expect(clock.now()).toBe(5_010);
  });

  test("goes by the answer that came fastest, and by a slower one only when that is too old", () => {
    let host = 0;
    const clock = new PostgresClock(() => host);
    clock.learn(10_001, 0, 2);
    // Asked at 100, read at once, and answered late.
    clock.learn(10_100, 100, 150);
    host = 200;
    expect(clock.now()).toBe(10_200);
    clock.learn(80_101, 70_000, 70_050);
    host = 70_100;
    expect(clock.now()).toBe(80_176);
  });

  test("follows at once when one of the two clocks was set, and stands still rather than run backwards", () => {
    let host = 0;
    const clock = new PostgresClock(() => host);
    clock.learn(10_000, 0, 0);
    clock.learn(90_010, 10, 10);
    host = 10;
    expect(clock.now()).toBe(90_010);
    clock.learn(10_020, 20, 20);
    host = 20;
    expect(clock.now()).toBe(90_010);
    host = 80_011;
    expect(clock.now()).toBe(90_011);
  });

  test("does not take a wait at the server for a way to it, nor believe one that cannot have been", () => {
    const clock = new PostgresClock(() => 5_010);
    // Arrived at 5, waited until 5,005, and was back at 5,010.
    clock.learn(105_005, 0, 5_010, 5_000);
    expect(clock.now()).toBe(105_010);
    for (const impossible of [-1, 9_000]) {
      const other = new PostgresClock(() => 20);
      other.learn(110, 0, 20, impossible);
      expect(other.now()).toBe(120);
    }
  });

  test("never runs backwards, and is off by no more than half of the slowest answer, whatever the answers", () => {
    const answer = fc.record({ pauseMs: fc.nat(5_000), thereMs: fc.nat(40), backMs: fc.nat(40) });
    fc.assert(
      fc.property(fc.integer({ min: -1_000_000, max: 1_000_000 }), fc.array(answer, { minLength: 1 }), (offset, answers) => {
        let host = 2_000_000;
        let latest = 0;
        const clock = new PostgresClock(() => host);
        for (const { pauseMs, thereMs, backMs } of answers) {
          const asked = host + pauseMs;
          host = asked + thereMs + backMs;
          clock.learn(asked + thereMs + offset, asked, host);
          const told = clock.now();
          expect(told).toBeGreaterThanOrEqual(latest);
          expect(Math.abs(told - (host + offset))).toBeLessThanOrEqual(41 + 80);
          latest = told;
        }
      }),
    );
  });

  test("is not put off by a wait for other transactions", async () => {
    const [server, schema] = [await sharedServer(), freshSchema()];
    const maker = createPostgresDatabase({ connection: server.url(), schema });
    await maker.transaction(async () => undefined);
    await maker.close();
    const holder = new pg.Client({ connectionString: server.url() });
    await holder.connect();
    onTestFinished(() => holder.end());
    await holder.query(`BEGIN; LOCK TABLE ${schema}."backstep gate" IN ACCESS EXCLUSIVE MODE`);
    const database = createPostgresDatabase({ connection: server.url(), schema });
    onTestFinished(() => database.close());
    const running = database.transaction(async () => undefined);
    await new Promise((resolve) => setTimeout(resolve, HELD_MS));
    await holder.query("COMMIT");
    await running;
    // Server and host are one machine with one clock. Half of the wait would be wrong if the wait were taken for a way.
    expect(Math.abs(database.now() - Date.now())).toBeLessThan(HELD_MS / 4);
  });

  test("is read from a real server by whoever has begun a transaction on it", async () => {
    const database = createPostgresDatabase({ connection: (await sharedServer()).url(), schema: freshSchema() });
    onTestFinished(() => database.close());
    const before = Date.now();
    const within = await database.transaction(async () => database.now());
    // The server is on this machine, so its clock is this one, give or take what an answer takes.
    expect(within).toBeGreaterThanOrEqual(before - 1_000);
    expect(within).toBeLessThanOrEqual(Date.now() + 1_000);
  });
});
