// Goal: the host's timer keeps the port's word. Method: waits of no or one millisecond, and aborts; no clock is read.
import { expect, test } from "vitest";
import { hostTimer } from "../../src/primitives/host.ts";

test("a sleep ends when its time is over", async () => {
  await expect(hostTimer.sleep(1)).resolves.toBeUndefined();
});

test("a sleep ends at once, without rejecting, when its signal aborts before or during it", async () => {
  const controller = new AbortController();
  const long = hostTimer.sleep(2 ** 40, controller.signal);
  controller.abort();
  await expect(long).resolves.toBeUndefined();
  await expect(hostTimer.sleep(2 ** 40, controller.signal)).resolves.toBeUndefined();
});

test("a wait too long for the host's timer does not turn into none", async () => {
  const controller = new AbortController();
  let over = false;
  const long = hostTimer.sleep(2 ** 40, controller.signal).then(() => {
    over = true;
  });
  await hostTimer.sleep(5);
  expect(over).toBe(false);
  controller.abort();
  await long;
});
