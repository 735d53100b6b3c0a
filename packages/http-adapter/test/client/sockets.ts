/** Real sockets on loopback that do what servers do when something is wrong with them. */

import type { AddressInfo } from "node:net";
import { createServer, type Server, type Socket } from "node:net";

export interface BadServer {
  readonly port: number;
  /** Requests whose first bytes have arrived. */
  readonly requests: readonly string[];
  /** Resolves when the first bytes of a request have arrived. */
  readonly reached: Promise<void>;
  /** Resets every connection. */
  reset(): void;
  close(): Promise<void>;
}

/** Listens, waits for the first bytes of a request, and then does what it is told to do to the connection. */
export async function listenBadly(misbehave: (socket: Socket) => void): Promise<BadServer> {
  const requests: string[] = [];
  const sockets = new Set<Socket>();
  const reached = Promise.withResolvers<void>();
  const server = createServer((socket) => {
    sockets.add(socket);
    // The client hangs up as it likes; that is no failure of the test.
    socket.on("error", () => undefined);
    socket.once("data", (bytes) => {
      requests.push(bytes.toString("latin1"));
      reached.resolve();
      misbehave(socket);
    });
  });
  const port = await listen(server);
  return {
    port,
    requests,
    reached: reached.promise,
    reset() {
      for (const socket of sockets) socket.resetAndDestroy();
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** A port of loopback that nobody listens at. */
export async function closedPort(): Promise<number> {
  const server = createServer();
  const port = await listen(server);
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}

export const HEAD_OK = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n";
