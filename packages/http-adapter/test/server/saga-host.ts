/**
 * A host of sagas as a service would be one: the warehouse's routes, beside them a saga that is started and looked at over HTTP, and one OpenAPI document for both.
 * Steps do as a test tells them; the engine, the store and the HTTP side are the real ones.
 */
import {
  createServer,
  mountOperator,
  mountSaga,
  mountSignal,
  operatorPaths,
  type SagaRoutesOptions,
  sagaPaths,
  signalPath,
} from "@backstep/http-adapter/server";
import { createFence, createMemoryDatabase } from "@backstep/participant";
import { createEngine, type Engine, type Fault, saga, signal, step, waitFor } from "@backstep/saga-core";
import { createMemoryStore, type MemoryDisk, type MemoryStore, type MemoryStoreFaults } from "@backstep/saga-core/journal";
import { Hono } from "hono";
import { ok, type Result } from "neverthrow";
import { z } from "zod";
import { warehouse } from "../warehouse.ts";
import { type Document, openApi } from "./open-api-reader.ts";
import { ORIGIN, type Received, type Sent, send } from "./rig.ts";
import { createWarehouseService } from "./warehouse-service.ts";

export type Said = Result<{ readonly receipt: string }, OutOfStock | SagaParked | Fault>;

interface OutOfStock {
  readonly _tag: "OutOfStock";
  readonly itemId: string;
  readonly requested: number;
  readonly available: number;
}

/** A domain error that has the name of one of the engine's, and even a saga's id, but not of this saga. */
interface SagaParked {
  readonly _tag: "SagaParked";
  readonly sagaId: string;
}

export interface Steps {
  readonly pick?: (() => PromiseLike<Said> | Said) | undefined;
  readonly ship?: (() => PromiseLike<Said> | Said) | undefined;
  readonly unpick?: (() => Result<unknown, Fault>) | undefined;
}

export interface SagaHost {
  readonly engine: Engine;
  readonly store: MemoryStore;
  readonly document: Document;
  readonly errors: unknown[];
  readonly fetch: (request: Request) => Promise<Response>;
  send(method: string, target: string, sent?: Sent): Promise<Received>;
  close(): Promise<void>;
}

const orderInput = z.strictObject({ client: z.string(), orderId: z.string().max(40), notes: z.json().optional() });
const releasePayload = z.strictObject({ by: z.string().min(1) });
/** An order whose notes say so waits for it. */
const release = signal({ name: "dispatch.release", payload: releasePayload });
export const HELD = "held";
const RELEASE_PATH = "/desk/sagas/{sagaId}/release";
const orderOutput = z.strictObject({ orderId: z.string(), receipt: z.string() });

interface HostOptions extends Partial<Pick<SagaRoutesOptions<unknown, unknown, unknown>, "answerWithinMs" | "clientOf" | "statusOf">> {
  readonly steps?: Steps | undefined;
  readonly faults?: MemoryStoreFaults | undefined;
  readonly disk?: MemoryDisk | undefined;
  readonly inMemoryMax?: number | undefined;
  readonly prefix?: string | undefined;
  /** Of every release, so that none comes with the request. */
  readonly releaseKey?: string | undefined;
}

interface Order {
  readonly orderId: string;
}

/** One attempt each, so that doubt and parking need no waiting. */
const once = { attempts: 1, horizonMs: 60_000, delayMs: 1 } as const;
const receipt = (): Said => ok({ receipt: "r-secret" });

export async function openHost({
  steps = {},
  faults = {},
  disk,
  inMemoryMax,
  prefix = "",
  releaseKey,
  ...routes
}: HostOptions = {}): Promise<SagaHost> {
  const { pick = receipt, ship = receipt, unpick = () => ok() } = steps;
  const picked = step({
    name: "pick",
    run: (_order: Order) => pick(),
    compensate: () => unpick(),
    retry: once,
    compensationRetry: once,
  });
  const shipped = step({ name: "ship", run: (_order: Order) => ship(), compensate: () => ok(), retry: once });
  const dispatch = saga({
    name: "dispatch",
    input: orderInput,
    *run({ orderId, notes }) {
      yield* picked({ orderId });
      if (notes === HELD) yield* waitFor(release);
      const { receipt: given } = yield* shipped({ orderId });
      return { orderId, receipt: given };
    },
  });
  const rejections = warehouse.operations.reserve.rejections;
  const database = createMemoryDatabase();
  const errors: unknown[] = [];
  const onError = (error: unknown): number => errors.push(error);
  const server = createServer({
    contract: warehouse,
    service: createWarehouseService(),
    database,
    fence: createFence({ database, retentionMs: 60_000 }),
    otherPaths: () => [
      sagaPaths({ saga: dispatch, path: `${prefix}/dispatches` as "/", input: orderInput, output: orderOutput, rejections }),
      operatorPaths("/desk"),
      signalPath({
        signal: release,
        path: RELEASE_PATH,
        payload: releasePayload,
        summary: "Lets a held order go.",
        keyed: releaseKey === undefined,
      }),
    ],
    onError,
  });
  const store = createMemoryStore({ faults, disk });
  const engine = createEngine({ sagas: [dispatch], store, inMemoryMax });
  const app = new Hono().basePath(prefix);
  mountSaga(app, {
    engine,
    saga: dispatch,
    path: "/dispatches",
    clientOf: (_request, input) => clientOf(input),
    rejections,
    onError,
    ...routes,
  });
  mountOperator(app, { engine, path: "/desk", onError });
  mountSignal(app, {
    engine,
    signal: release,
    path: RELEASE_PATH,
    keyOf: releaseKey === undefined ? undefined : () => releaseKey,
    onError,
  });
  app.all("*", ({ req }) => server.fetch(req.raw));
  const fetch = async (request: Request): Promise<Response> => app.fetch(request);
  const document = openApi.parse(await (await server.fetch(new Request(`${ORIGIN}/openapi.json`))).json());
  return {
    engine,
    store,
    document,
    errors,
    fetch,
    send: (method, target, sent) => send(fetch, document, method, target, sent),
    async close() {
      await engine.close();
      await store.close();
      await database.close();
    },
  };
}

function clientOf(input: unknown): string | undefined {
  const parsed = orderInput.safeParse(input);
  return parsed.success ? parsed.data.client : undefined;
}
