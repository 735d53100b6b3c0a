/** `POST /events`: CloudEvents over HTTP into an inbox, so that a delivery that comes twice has one effect. */

import type { EventType } from "@backstep/contract";
import { createInbox, type Database, type Fence, type Inbox, parseEvent, type Transaction } from "@backstep/participant";
import type { Admission } from "./admission.ts";
import type { Handle } from "./guarded.ts";
import { problemResponse } from "./problem-response.ts";
import { checkPlain } from "./read-input.ts";
import { readText } from "./read-text.ts";

/** What to do with one type of event: its declaration, and the effect, inside the transaction that also remembers the event. */
export interface EventHandler {
  readonly event: EventType;
  // Method syntax on purpose: a handler of any data must fit here; the declaration's schema has checked it.
  handle(transaction: Transaction, data: unknown, now: number): Promise<void>;
}

export type EventHandlers = readonly EventHandler[];

interface EventsOptions {
  readonly database: Database;
  readonly fence: Fence;
  readonly events: EventHandlers;
  readonly bodyBytesMax: number;
  readonly admission: Admission;
}

export function mountEvents(add: (method: string, path: string, handle: Handle) => void, options: EventsOptions): void {
  const { database, fence } = options;
  const inbox = createInbox({ database, retentionMs: fence.retentionMs });
  add("POST", "/events", ({ req }) => receive(inbox, options, req.raw));
}

async function receive(inbox: Inbox, { database, events, bodyBytesMax, admission }: EventsOptions, request: Request): Promise<Response> {
  const body = await readText(request, bodyBytesMax);
  if (body.isErr()) return body.error;
  const parsed = parseEvent({ headers: request.headers, body: body.value });
  if (parsed.isErr()) return problemResponse("requestInvalid", { detail: `no CloudEvent: ${parsed.error._tag}` });
  const event = parsed.value;
  const handler = events.find((each) => each.event.type === event.type);
  // An event nobody here waits for is taken and dropped: its sender must not keep it for ever.
  if (handler === undefined) return new Response(null, { status: 204 });
  const plain = checkPlain(event.data ?? null);
  if (plain.isErr()) return plain.error;
  const data = handler.event.data.safeParse(event.data);
  if (!data.success) return problemResponse("requestInvalid", { detail: "the event's data does not fit the schema of its type" });
  return admission.admit({ inSaga: false }, async () => {
    await inbox.consume(event, (transaction) => handler.handle(transaction, data.data, database.now()));
    return new Response(null, { status: 204 });
  });
}
