/**
 * Goal: a test can rely on its server: it comes up, survives a kill with its data, and does not outlive whoever started it. Method: real servers, in this process and in one
 * that is killed; what is looked at are sockets, processes and folders.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { connect } from "node:net";
import { expect, test } from "vitest";
import { findBinaries } from "../src/binaries.ts";
import { startPostgres } from "../src/index.ts";

test("comes up, can be killed and started again on the same port, and is gone when it is closed", async () => {
  const server = await startPostgres();
  try {
    expect(await answers(server.port)).toBe(true);
    const first = server.pid;
    await server.kill();
    expect([server.pid, await answers(server.port)]).toEqual([undefined, false]);
    await server.start();
    expect(server.pid).not.toBe(first);
    expect(await answers(server.port)).toBe(true);
    await server.stop();
    await server.start();
    expect(await answers(server.port)).toBe(true);
  } finally {
    await server.close();
  }
  expect(await answers(server.port)).toBe(false);
});

test("does not outlive the process that started it, even one that was killed", async () => {
  const program = `
    import { startPostgres } from ${JSON.stringify(new URL("../src/index.ts", import.meta.url).href)};
    const server = await startPostgres();
    console.log(JSON.stringify([server.port, server.folder]));
    setInterval(() => undefined, 1_000);
  `;
  const child = spawn(process.execPath, ["--input-type=module-typescript", "--eval", program], { stdio: ["ignore", "pipe", "inherit"] });
  const [line] = (await once(child.stdout, "data")) as [Buffer];
  const [port, folder] = JSON.parse(line.toString()) as [number, string];
  expect(await answers(port)).toBe(true);
  child.kill("SIGKILL");
  await expect.poll(() => answers(port), { timeout: 20_000 }).toBe(false);
  await expect.poll(() => existsSync(folder), { timeout: 20_000 }).toBe(false);
});

test("is waited for until it is gone, by a program that does nothing else", async () => {
  const program = `
    import { startPostgres } from ${JSON.stringify(new URL("../src/index.ts", import.meta.url).href)};
    const server = await startPostgres();
    await server.close();
    console.log("gone");
  `;
  const child = spawn(process.execPath, ["--input-type=module-typescript", "--eval", program], { stdio: ["ignore", "pipe", "inherit"] });
  let said = "";
  child.stdout.on("data", (text: Buffer) => {
    said += text.toString();
  });
  expect([...((await once(child, "exit")) as unknown[]), said]).toEqual([0, null, "gone\n"]);
});

test("tells why it does not come up", async () => {
  await expect(startPostgres({ settings: { shared_buffers: "much" } })).rejects.toThrow(/did not come up: [^]*shared_buffers/);
});

test("runs from binaries that npm installed", async () => {
  const { initdb, postgres } = await findBinaries();
  expect([initdb, postgres].map((path) => existsSync(path))).toEqual([true, true]);
});

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => resolve(true));
    socket.once("error", () => resolve(false));
    socket.once("close", () => socket.destroy());
    socket.once("connect", () => socket.destroy());
  });
}
