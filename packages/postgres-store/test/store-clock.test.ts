// Goal: the store's clock is the server's, never behind what the server has said, never back. Method: a monotonic clock and a server's, both of the test's own.
import { expect, test } from "vitest";
import { createStoreClock } from "../src/connection/store-clock.ts";

function setUp() {
  let monotonic = 1_000;
  let server = 50_000;
  const clock = createStoreClock(() => monotonic);
  const pass = (ms: number): void => {
    monotonic += ms;
    server += ms;
  };
  return {
    clock,
    pass,
    /** A question that takes so long to get there, and its answer so long to come back. */
    ask(thereMs: number, backMs: number): void {
      const sentAt = monotonic;
      pass(thereMs);
      const said = server;
      pass(backMs);
      clock.measured(sentAt, said);
    },
    /** Somebody sets the server's clock. */
    set(ms: number): void {
      server += ms;
    },
    ahead: (): number => clock.now() - server,
  };
}

test("it is ahead by the way there, and by no more than that of the best answer", () => {
  const { ask, ahead, pass } = setUp();
  ask(8, 1);
  expect(ahead()).toBe(8);
  ask(2, 90);
  expect(ahead()).toBe(2);
  ask(30, 1);
  expect(ahead()).toBe(2);
  pass(100_000);
  expect(ahead()).toBe(2);
});

test("it goes on by itself, in whole milliseconds", () => {
  const { clock, ask, pass } = setUp();
  ask(0, 0);
  const before = clock.now();
  pass(0.4);
  expect(clock.now()).toBe(before);
  pass(0.7);
  expect(clock.now()).toBe(before + 1);
});

test("it follows a server's clock that is set forward, at once", () => {
  const { ask, ahead, set } = setUp();
  ask(1, 1);
  set(3_600_000);
  ask(1, 1);
  expect(ahead()).toBe(1);
});

test("it stands until a server's clock that was set back has overtaken it", () => {
  const { clock, ask, ahead, set, pass } = setUp();
  ask(1, 1);
  const before = clock.now();
  set(-1_000);
  ask(1, 1);
  expect(clock.now()).toBe(before);
  pass(500);
  expect(clock.now()).toBe(before);
  pass(600);
  expect(clock.now()).toBeGreaterThan(before);
  expect(ahead()).toBe(1);
});
