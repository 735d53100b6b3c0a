/** A way to the server that can be cut: at the moment at which a batch is about to be sent, at which its answer comes, or at any other; and that can be closed, or fall silent. */
import { connect, createServer, type Server, type Socket } from "node:net";

/**
 * `before`: the batch does not get through. `answer`: it does, and its answer does not. `sent`: it does, and the way is cut at once, whatever the server makes of it. `silent`: it does, and nothing is
 * heard any more, but nothing is cut either.
 */
export type Cut = "before" | "answer" | "sent" | "silent";

export interface Proxy {
  readonly url: string;
  /** Cuts the next batch that is sent, once. */
  cutNextBatch(cut: Cut): void;
  /** Cuts every connection that there is. */
  cutAll(): void;
  /** While it is closed, nobody gets through who was not through before. */
  open: boolean;
  /** How many batches were cut. */
  readonly cuts: () => number;
  close(): Promise<void>;
}

/** The name of the statement, which each batch begins with. */
const MARK = Buffer.from("write_batch");
/** The message Sync, which each batch ends with. */
const END = Buffer.from([0x53, 0, 0, 0, 4]);

export async function startProxy(port: number): Promise<Proxy> {
  const sockets = new Set<Socket>();
  let next: Cut | undefined;
  let cuts = 0;
  let open = true;

  const server: Server = createServer((client) => {
    if (!open) {
      client.destroy();
      return;
    }
    const upstream = connect(port, "127.0.0.1");
    let cut: Cut | undefined;
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.setNoDelay(true);
      socket.on("error", () => undefined);
      socket.once("close", () => sockets.delete(socket));
    }
    const destroy = (): void => {
      client.destroy();
      upstream.destroy();
    };
    client.on("data", (data) => {
      if (cut === undefined && next !== undefined && data.includes(MARK)) {
        cut = next;
        next = undefined;
        cuts += 1;
      }
      if (cut === "before") destroy();
      else if (cut === "sent") upstream.write(data, () => data.subarray(-END.length).equals(END) && destroy());
      else upstream.write(data);
    });
    upstream.on("data", (data) => {
      if (cut === "answer") destroy();
      else if (cut !== "silent") client.write(data);
    });
    client.once("close", () => upstream.destroy());
    upstream.once("close", () => client.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const own = typeof address === "object" && address !== null ? address.port : 0;

  return {
    url: `postgres://postgres@127.0.0.1:${own}/postgres`,
    cutNextBatch(cut) {
      next = cut;
    },
    cutAll() {
      for (const socket of sockets) socket.destroy();
    },
    get open() {
      return open;
    },
    set open(value) {
      open = value;
    },
    cuts: () => cuts,
    close() {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
