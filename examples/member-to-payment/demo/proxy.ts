/**
 * A network between the payment service and one other service, with the failures of a real one: requests held back and delivered late, answers lost,
 * errors in between, a closed port. It forwards bytes over real sockets and understands nothing of what it forwards.
 */
import { createServer, request as httpRequest, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";

export interface Passing {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
  /** 1 for the first request of this method and path since the rule was set. */
  readonly count: number;
}

/**
 * What happens to a request. `forward`: nothing. `loseAnswer`: it is delivered and executed, then the connection is cut. `neverAnswer`: it is delivered
 * and executed, and its sender waits in vain. `hold`: its sender waits in vain, and it is delivered when `releaseHeld` is called. `fail`: a 500
 * from something in between, nothing delivered.
 */
export type Fate = "forward" | "loseAnswer" | "neverAnswer" | "hold" | "fail";
export type Verdict =
  | Fate
  | {
      readonly fate: Fate /** Called once the service has answered, before its answer goes anywhere. */;
      readonly delivered: () => void | Promise<void>;
    };
export type Rule = (passing: Passing) => Verdict | Promise<Verdict>;

interface Held {
  readonly deliver: () => Promise<number>;
}

export class Proxy {
  readonly #target: string;
  #server: Server | undefined;
  #port = 0;
  #rule: Rule = () => "forward";
  #counts = new Map<string, number>();
  #held: Held[] = [];
  readonly #sockets = new Set<Socket>();

  constructor(target: string) {
    this.#target = target;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Applies to every request from now on; counting starts anew. */
  setRule(rule: Rule): void {
    this.#rule = rule;
    this.#counts = new Map();
  }

  async up(): Promise<void> {
    if (this.#server !== undefined) return;
    const server = createServer((incoming, outgoing) => void this.#pass(incoming, outgoing));
    server.on("connection", (socket) => {
      this.#sockets.add(socket);
      socket.on("close", () => this.#sockets.delete(socket));
    });
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(this.#port, "127.0.0.1", resolve);
    });
    this.#port = (server.address() as AddressInfo).port;
    this.#server = server;
  }

  /** Closes the port: connections are refused, as by a host whose service is not running. */
  async down(): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    this.#server = undefined;
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  }

  /** Delivers what was held back, in order of arrival; resolves with the statuses it was answered with. */
  async releaseHeld(): Promise<readonly number[]> {
    const held = this.#held;
    this.#held = [];
    const statuses: number[] = [];
    for (const { deliver } of held) statuses.push(await deliver());
    return statuses;
  }

  async #pass(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const body = await readAll(incoming);
    const route = `${incoming.method ?? "GET"} ${incoming.url ?? "/"}`;
    const count = (this.#counts.get(route) ?? 0) + 1;
    this.#counts.set(route, count);
    const passing = { method: incoming.method ?? "GET", path: incoming.url ?? "/", headers: incoming.headers, count };
    const verdict = await this.#rule(passing);
    const { fate, delivered } = typeof verdict === "string" ? { fate: verdict, delivered: undefined } : verdict;
    if (fate === "fail") {
      outgoing.writeHead(500, { "content-type": "text/plain" }).end("something between us broke");
      return;
    }
    if (fate === "hold") {
      this.#held.push({ deliver: async () => (await this.#forward(incoming, body)).status });
      return;
    }
    const answer = await this.#forward(incoming, body).catch(() => undefined);
    await delivered?.();
    if (fate === "neverAnswer") return;
    if (fate === "loseAnswer" || answer === undefined) {
      incoming.socket.destroy();
      return;
    }
    outgoing.writeHead(answer.status, answer.headers).end(answer.body);
  }

  #forward(incoming: IncomingMessage, body: Buffer): Promise<{ status: number; headers: IncomingMessage["headers"]; body: Buffer }> {
    return new Promise((resolve, reject) => {
      const onward = httpRequest(
        `${this.#target}${incoming.url ?? "/"}`,
        { method: incoming.method, headers: incoming.headers },
        (answer) => {
          readAll(answer).then((text) => resolve({ status: answer.statusCode ?? 502, headers: answer.headers, body: text }), reject);
        },
      );
      onward.on("error", reject);
      onward.end(body);
    });
  }
}

async function readAll(stream: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
