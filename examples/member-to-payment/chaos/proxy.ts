/**
 * One link of the network: a TCP proxy between two processes that passes bytes on, late, much later, or not at all. What it holds back it delivers when it is healed, as a network does that
 * retransmits: a request may arrive long after its sender has given it up. It understands nothing of what it passes.
 */
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { Transform, type TransformCallback } from "node:stream";
import { callbackify } from "node:util";

/** `Slow`: everything comes so much later. `Silent`: nothing comes, and no connection breaks. `Cut`: connections are reset, those that are there and those that are made. */
export type Condition =
  | { readonly _tag: "Open" }
  | { readonly _tag: "Slow"; readonly delayMs: number }
  | { readonly _tag: "Silent" }
  | { readonly _tag: "Cut" };

const OPEN: Condition = { _tag: "Open" };

export class Proxy {
  readonly name: string;
  /** The port behind it, asked for each connection; `undefined` while nobody is there. */
  target: () => number | undefined = () => undefined;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #condition: Condition = OPEN;
  #healed = Promise.withResolvers<void>();

  static async open(name: string): Promise<Proxy> {
    const proxy = new Proxy(name);
    await new Promise<void>((resolve, reject) => {
      proxy.#server.once("error", reject);
      proxy.#server.listen(0, "127.0.0.1", resolve);
    });
    return proxy;
  }

  private constructor(name: string) {
    this.name = name;
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (near) => this.#accept(near));
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get healthy(): boolean {
    return this.#condition === OPEN;
  }

  become(condition: Condition): void {
    this.#condition = condition;
    if (condition._tag === "Cut") for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  heal(): void {
    this.#condition = OPEN;
    this.#healed.resolve();
    this.#healed = Promise.withResolvers();
  }

  async close(): Promise<void> {
    this.heal();
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #accept(near: Socket): void {
    const port = this.target();
    if (port === undefined || this.#condition._tag === "Cut") {
      near.on("error", () => undefined).resetAndDestroy();
      return;
    }
    const far = connect({ port, host: "127.0.0.1", allowHalfOpen: true, noDelay: true });
    // Who is gone in the middle of something is told by a reset: an end would say that all was said.
    far.on("error", () => near.resetAndDestroy());
    this.#pipe(near, far);
    this.#pipe(far, near);
  }

  #pipe(from: Socket, to: Socket): void {
    this.#sockets.add(from);
    const gate = new Transform({ transform: (chunk, _encoding, done) => this.#pass(chunk, done) });
    from.pipe(gate).pipe(to);
    // Neither side's errors are news here; what was on its way when one broke arrives all the same.
    from.on("error", () => undefined);
    from.on("close", () => {
      this.#sockets.delete(from);
      gate.end();
    });
  }

  #pass(chunk: Buffer, done: TransformCallback): void {
    if (this.#condition._tag === "Open" || this.#condition._tag === "Cut") done(null, chunk);
    else this.#late((error) => done(error, chunk));
  }

  readonly #late = callbackify(() => this.#passable());

  async #passable(): Promise<void> {
    while (this.#condition._tag === "Silent") await this.#healed.promise;
    const condition = this.#condition;
    if (condition._tag === "Slow") await new Promise((resolve) => setTimeout(resolve, condition.delayMs));
  }
}
