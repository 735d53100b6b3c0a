/**
 * Publishes by POST, in the CloudEvents HTTP binding. A 2xx from every receiver is a delivery; everything else, silence included, is tried
 * again by the relay, so a receiver that answered already may get the event once more.
 */
import { err, ok, type Result } from "neverthrow";
import type { CloudEvent } from "../events/cloud-event.ts";
import { type EventMode, formatEvent } from "../events/event-message.ts";
import type { NotDelivered, Publisher } from "./publisher.ts";

export interface HttpPublisherOptions {
  /**
   * Receivers: one for every event, or those of each event type. A type that is not listed has no receivers, and its events count as
   * delivered.
   */
  readonly to: string | Readonly<Record<string, readonly string[]>>;
  /** Default `binary`. */
  readonly mode?: EventMode | undefined;
  /** Sent with each request, e.g. an authorisation. Event headers win. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** For one receiver's answer, in milliseconds. Default 10,000. */
  readonly timeoutMs?: number | undefined;
  /** Default: the host's, looked up at each call. */
  readonly fetch?: typeof globalThis.fetch | undefined;
}

const TIMEOUT_MS_DEFAULT = 10_000;

export function createHttpPublisher(options: HttpPublisherOptions): Publisher {
  return {
    async publish(event) {
      const answers = await Promise.all(receiversOf(options, event).map((url) => post(options, url, event)));
      return answers.find((answer) => answer.isErr()) ?? ok(undefined);
    },
  };
}

function receiversOf({ to }: HttpPublisherOptions, event: CloudEvent): readonly string[] {
  if (typeof to === "string") return [to];
  return Object.hasOwn(to, event.type) ? (to[event.type] ?? []) : [];
}

async function post(options: HttpPublisherOptions, url: string, event: CloudEvent): Promise<Result<void, NotDelivered>> {
  const send = options.fetch ?? globalThis.fetch;
  const { headers, body } = formatEvent(event, options.mode);
  try {
    const response = await send(url, {
      method: "POST",
      headers: { ...options.headers, ...headers },
      body,
      // An event must not follow a receiver to a place that nobody configured.
      redirect: "manual",
      signal: AbortSignal.timeout(options.timeoutMs ?? TIMEOUT_MS_DEFAULT),
    });
    await response.body?.cancel();
    if (response.ok) return ok(undefined);
    return err(notDelivered(`${originOf(url)} answered ${response.status}`, retryAfterMs(response.headers.get("retry-after"))));
  } catch (cause) {
    return err(notDelivered(`${originOf(url)} did not answer: ${cause instanceof Error ? cause.name : "unknown"}`));
  }
}

/** Without path and query, which may hold secrets. */
function originOf(url: string): string {
  return URL.canParse(url) ? new URL(url).origin : "a malformed URL";
}

/** Delay in seconds; the date form is rare here and ignored. */
function retryAfterMs(header: string | null): number | undefined {
  return header !== null && /^\d{1,9}$/.test(header) ? Number(header) * 1_000 : undefined;
}

function notDelivered(message: string, retryAfter?: number): NotDelivered {
  return { _tag: "NotDelivered", message, retryAfterMs: retryAfter };
}
