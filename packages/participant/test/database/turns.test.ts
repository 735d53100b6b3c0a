// Goal: a body that would wait for itself is told so, through whatever other databases it goes, and nothing else is refused. Method: memory databases, one in another.
import { describe, expect, test } from "vitest";
import { createMemoryDatabase, type Database } from "../../src/index.ts";

const REFUSED = "a transaction was started inside another one";
const nothing = async () => undefined;

describe("a transaction inside of another", () => {
  test("of the same database is refused, also through one of another database", async () => {
    const [one, other] = [createMemoryDatabase(), createMemoryDatabase()];
    await expect(one.transaction(() => one.transaction(nothing))).rejects.toThrow(REFUSED);
    await expect(one.transaction(() => other.transaction(() => one.transaction(nothing)))).rejects.toThrow(REFUSED);
  });

  test("of another database is not", async () => {
    const [one, other] = [createMemoryDatabase(), createMemoryDatabase()];
    await one.transaction(() => other.transaction(nothing));
    await expect(one.transaction(() => other.transaction(async () => "done"))).resolves.toBe("done");
  });

  test("is inside no more when the outer one is over", async () => {
    const [one, other] = [createMemoryDatabase(), createMemoryDatabase()];
    const over = Promise.withResolvers<void>();
    let later: Promise<unknown> | undefined;
    const start = async (databases: readonly Database[]) => {
      await over.promise;
      for (const database of databases) await database.transaction(nothing);
      return "done";
    };
    await one.transaction(async () => {
      await other.transaction(async () => {
        later = start([one, other]);
      });
    });
    over.resolve();
    await expect(later).resolves.toBe("done");
  });
});
