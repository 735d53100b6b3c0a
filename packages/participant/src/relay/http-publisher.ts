/**
 * Publishes by POST, in the CloudEvents HTTP binding. A 2xx from every receiver is a delivery; everything else, silence included, is tried
 * again by the relay, so a receiver that answered already may get the event once more.
 */
import { err, ok, type Result } from "neverthrow";
import type { CloudEvent } from "../events/cloud-event.ts";
import { type EventMode, formatEvent } from "../events/event-message.ts";
import { assertCount, OptionInvalid, TIMER_MS_MAX } from "../option-invalid.ts";
import type { NotDelivered, Publisher } from "./publisher.ts";

export interface HttpPublisherOptions {
  /**
   * Receivers, as absolute http(s) URLs: one for every event, or those of each event type. A type that is not listed has no receivers, and its events count as
   * delivered.
   */
  readonly to: string | Readonly<Record<string, readonly string[]>>;
  /** Default `binary`. */
  readonly mode?: EventMode | undefined;
  /** Sent with each request, e.g. an authorisation. Event headers win, however the names are written. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** For one receiver's answer, in milliseconds, 1 to 2,147,483,647. Default 10,000. */
  readonly timeoutMs?: number | undefined;
  /** Default: the host's, looked up at each call. */
  readonly fetch?: typeof globalThis.fetch | undefined;
}

const TIMEOUT_MS_DEFAULT = 10_000;

/** @throws {OptionInvalid} When a receiver, a header or the time is none, so that no event waits for ever for what cannot be reached. */
export function createHttpPublisher(options: HttpPublisherOptions): Publisher {
  const { to, timeoutMs = TIMEOUT_MS_DEFAULT } = options;
  assertCount("timeoutMs", timeoutMs, "milliseconds", 1, TIMER_MS_MAX);
  for (const url of typeof to === "string" ? [to] : Object.values(to).flat()) assertReceiver(url);
  const posting: Posting = { ...options, headers: lowerCased(options.headers), timeoutMs };
  return {
    async publish(event, signal) {
      const answers = await Promise.all(receiversOf(options, event).map((url) => post(posting, url, event, signal)));
      return answers.find((answer) => answer.isErr()) ?? ok(undefined);
    },
  };
}

interface Posting extends Pick<HttpPublisherOptions, "mode" | "fetch"> {
  /** Names in lower case, as an event's own are: of two spellings of one name, both would be sent. */
  readonly headers: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
}

function lowerCased(headers: HttpPublisherOptions["headers"]): Readonly<Record<string, string>> {
  try {
    return Object.fromEntries(new Headers(headers));
  } catch {
    throw new OptionInvalid("`headers` holds a name or a value that no HTTP header can have");
  }
}

function assertReceiver(url: string): void {
  const protocol = URL.canParse(url) ? new URL(url).protocol : "";
  // The URL is not quoted: it may hold a secret.
  if (protocol !== "http:" && protocol !== "https:") throw new OptionInvalid("a receiver in `to` is no absolute http(s) URL");
}

function receiversOf({ to }: HttpPublisherOptions, event: CloudEvent): readonly string[] {
  if (typeof to === "string") return [to];
  return Object.hasOwn(to, event.type) ? (to[event.type] ?? []) : [];
}

async function post(posting: Posting, url: string, event: CloudEvent, signal?: AbortSignal): Promise<Result<void, NotDelivered>> {
  const send = posting.fetch ?? globalThis.fetch;
  const { headers, body } = formatEvent(event, posting.mode);
  const timeout = AbortSignal.timeout(posting.timeoutMs);
  try {
    const response = await send(url, {
      method: "POST",
      headers: { ...posting.headers, ...headers },
      body,
      // An event must not follow a receiver to a place that nobody configured.
      redirect: "manual",
      signal: signal === undefined ? timeout : AbortSignal.any([timeout, signal]),
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
  return new URL(url).origin;
}

/** Delay in seconds; the date form is rare here and ignored. */
function retryAfterMs(header: string | null): number | undefined {
  return header !== null && /^\d{1,9}$/.test(header) ? Number(header) * 1_000 : undefined;
}

function notDelivered(message: string, retryAfter?: number): NotDelivered {
  return { _tag: "NotDelivered", message, retryAfterMs: retryAfter };
}
