/**
 * Goal: the chaos command can be relied on: its plan follows from its seed, its network does what is told of it, and no law of a saga's journal is idle. Method: plans side by side, real
 * sockets, and journals that are broken by hand.
 */
import { connect, createServer, type Server, type Socket } from "node:net";
import type { Entry } from "@backstep/saga-core/engine";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { planFaults } from "../chaos/faults.ts";
import { Proxy } from "../chaos/proxy.ts";
import { Random } from "../chaos/random.ts";
import { brokenLaws } from "../chaos/stories.ts";

const FAULTS = 300;

function planOf(seed: number) {
  const plan = planFaults(new Random(seed));
  return Array.from({ length: FAULTS }, () => plan.next().value);
}

test("the same seed plans the same faults, another one others, and all kinds come", () => {
  expect(planOf(7)).toEqual(planOf(7));
  expect(planOf(7)).not.toEqual(planOf(8));
  expect(new Set(planOf(7).map(({ name }) => name)).size).toBe(13);
});

describe("a link", () => {
  let echo: Server;
  let proxy: Proxy;
  /** Names of what reached the other end. */
  const arrived: string[] = [];

  beforeAll(async () => {
    echo = createServer((socket) => {
      socket
        .on("error", () => undefined)
        .on("data", (chunk) => {
          arrived.push(chunk.toString());
          socket.write(chunk);
        });
    });
    await new Promise<void>((resolve) => echo.listen(0, "127.0.0.1", resolve));
    proxy = await Proxy.open("a → b");
    proxy.target = () => portOf(echo);
  });

  afterAll(async () => {
    await proxy.close();
    echo.close();
  });

  test("passes on what comes, late when it is slow", async () => {
    const socket = await open(proxy);
    expect(await say(socket, "at once")).toBe("at once");
    proxy.become({ _tag: "Slow", delayMs: 200 });
    const begun = performance.now();
    expect(await say(socket, "late")).toBe("late");
    // There and back.
    expect(performance.now() - begun).toBeGreaterThan(390);
    proxy.heal();
    socket.destroy();
  });

  test("keeps what comes while it is silent, and delivers it when it is healed, though its sender is gone", async () => {
    const socket = await open(proxy);
    proxy.become({ _tag: "Silent" });
    socket.write("given up");
    await new Promise((resolve) => setTimeout(resolve, 100));
    socket.resetAndDestroy();
    expect(arrived).not.toContain("given up");
    proxy.heal();
    await expect.poll(() => arrived).toContain("given up");
  });

  test("resets connections while it is cut, those that are there and those that come", async () => {
    const there = await open(proxy);
    const broken = failure(there);
    proxy.become({ _tag: "Cut" });
    expect(await broken).toBe("ECONNRESET");
    expect(await failure(connect(proxy.port, "127.0.0.1"))).toBe("ECONNRESET");
    proxy.heal();
    const socket = await open(proxy);
    expect(await say(socket, "again")).toBe("again");
    socket.destroy();
  });

  test("breaks when nobody is behind it", async () => {
    proxy.target = () => undefined;
    expect(await failure(connect(proxy.port, "127.0.0.1"))).toBe("ECONNRESET");
    proxy.target = () => portOf(echo);
  });
});

describe("the laws of one saga's journal", () => {
  const at = 1;
  const started: Entry = { _tag: "SagaStarted", seed: "", at };
  const intended = (path: string, kind: "compensatable" | "pivot" = "compensatable"): Entry => ({
    _tag: "OperationIntended",
    path,
    step: path,
    kind,
    at,
  });
  const settled = (path: string, slot: "action" | "compensation" = "action"): Entry => ({
    _tag: "OperationSettled",
    path,
    slot,
    outcome: { _tag: "Succeeded", output: null },
    attempts: 1,
    at,
  });
  const undone = (path: string): readonly Entry[] => [{ _tag: "CompensationIntended", path, at }, settled(path, "compensation")];
  const cause = { _tag: "CancelledCause", reason: "" } as const;
  const completed: Entry = { _tag: "SagaCompleted", at };
  const compensated: Entry = { _tag: "SagaCompensated", cause, at };
  const wentBack: Entry = { _tag: "WentBack", path: "run", cause, at };
  const lawsOf = (entries: readonly Entry[], status: "completed" | "compensated" | "running") =>
    brokenLaws("s", entries, status).map(({ law }) => law);

  test("are kept by one that completed, and by one that went back", () => {
    expect(lawsOf([started, intended("a"), settled("a"), intended("p", "pivot"), settled("p"), completed], "completed")).toEqual([]);
    expect(lawsOf([started, intended("a"), settled("a"), wentBack, ...undone("a"), compensated], "compensated")).toEqual([]);
  });

  test.each([
    ["a saga has one end, and nothing comes after it", [started, completed, completed], "completed"],
    ["a saga's state is the fold of its journal", [started, completed], "compensated"],
    ["an outcome comes after its intent, and each has one", [started, settled("a"), completed], "completed"],
    ["an outcome comes after its intent, and each has one", [started, intended("a"), completed], "completed"],
    ["nothing is undone after the pivot", [started, intended("p", "pivot"), settled("p"), compensated], "compensated"],
    [
      "what may have had an effect is undone when a saga went back, and nothing else",
      [started, intended("a"), settled("a"), compensated],
      "compensated",
    ],
  ] as const)("object: %s", (law, entries, status) => {
    expect(lawsOf(entries, status)).toContain(law);
  });
});

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}

function open(proxy: Proxy): Promise<Socket> {
  return new Promise((resolve) => {
    const socket = connect(proxy.port, "127.0.0.1", () => resolve(socket));
    socket.on("error", () => undefined);
  });
}

function say(socket: Socket, text: string): Promise<string> {
  return new Promise((resolve) => {
    socket.once("data", (chunk) => resolve(chunk.toString()));
    socket.write(text);
  });
}

function failure(socket: Socket): Promise<string | undefined> {
  return new Promise((resolve) => {
    socket.once("error", (error: NodeJS.ErrnoException) => resolve(error.code));
  });
}
