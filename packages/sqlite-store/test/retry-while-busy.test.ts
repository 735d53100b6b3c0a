// Goal: only a lock is waited for, and not for ever. Method: an attempt that counts how often it was made.
import { expect, test } from "vitest";
import { retryWhileBusy } from "../src/retry-while-busy.ts";

class SqliteFailure extends Error {
  readonly errcode: number;

  constructor(errcode: number) {
    super(`code ${errcode}`);
    this.errcode = errcode;
  }
}

/** SQLITE_BUSY, and SQLITE_BUSY_RECOVERY, which is one of its extended forms. */
test.each([5, 5 | (1 << 8)])("result code %i is waited for until the attempt succeeds", async (errcode) => {
  let attempts = 0;
  const value = await retryWhileBusy(() => {
    attempts += 1;
    if (attempts < 4) throw new SqliteFailure(errcode);
    return "done";
  }, 60_000);
  expect([value, attempts]).toEqual(["done", 4]);
});

test("another failure is thrown at once", async () => {
  let attempts = 0;
  const retried = retryWhileBusy(() => {
    attempts += 1;
    throw new SqliteFailure(10);
  }, 60_000);
  await expect(retried).rejects.toThrow("code 10");
  expect(attempts).toBe(1);
});

test("without time to wait, one attempt is made", async () => {
  let attempts = 0;
  const retried = retryWhileBusy(() => {
    attempts += 1;
    throw new SqliteFailure(5);
  }, 0);
  await expect(retried).rejects.toThrow("code 5");
  expect(attempts).toBe(1);
});
