// Goal: a start that finds no room is told so, and that nothing was begun. Method: an engine with room for one saga, which waits at a gate, and two clients at once.
import { ok } from "neverthrow";
import { expect, it } from "vitest";
import { openHost, type Said } from "./saga-host.ts";

const input = { client: "alice", orderId: "order-secret" };

it("is a 503 without effect when as many sagas run and wait as there is room for", async () => {
  const reached = Promise.withResolvers<void>();
  const answered = Promise.withResolvers<Said>();
  const ship = (): Promise<Said> => {
    reached.resolve();
    return answered.promise;
  };
  const host = await openHost({ inMemoryMax: 1, steps: { ship } });
  const start = (key: string) => host.send("POST", "/dispatches", { json: input, key });
  const running = start("k1");
  await reached.promise;
  // One of them waits for its turn, and the other one has come too late for that.
  const others = ["k2", "k3"].map(start);
  const refused = await Promise.race(others);
  expect(refused.status).toBe(503);
  expect(refused.body).toMatchObject({ type: "urn:backstep:problem:unavailable", effect: "none" });
  expect(refused.headers.get("retry-after")).toBe("1");
  answered.resolve(ok({ receipt: "r" }));
  expect((await running).status).toBe(200);
  expect((await Promise.all(others)).map(({ status }) => status)).toSatisfy(
    (said: readonly number[]) => said.includes(200) && said.includes(503),
  );
  expect((await Promise.all(["k2", "k3"].map(start))).map(({ status }) => status)).toEqual([200, 200]);
  await host.close();
});

it("is no 202 for a start that has not been written down in time: a crash would forget it", async () => {
  const reached = Promise.withResolvers<void>();
  const answered = Promise.withResolvers<Said>();
  const ship = (): Promise<Said> => {
    reached.resolve();
    return answered.promise;
  };
  const host = await openHost({ inMemoryMax: 1, answerWithinMs: 20, steps: { ship } });
  const start = (key: string) => host.send("POST", "/dispatches", { json: input, key });
  expect((await start("k1")).status).toBe(202);
  await reached.promise;
  const waiting = await start("k2");
  expect(waiting.status).toBe(503);
  expect(waiting.body).toMatchObject({ type: "urn:backstep:problem:unavailable", effect: "unknown" });
  expect(waiting.headers.get("retry-after")).toBe("1");
  answered.resolve(ok({ receipt: "r" }));
  await expect.poll(async () => (await start("k2")).status, { timeout: 15_000 }).toBe(200);
  await host.close();
});
