/** A stored event as a CloudEvent. Adds nothing that was not fixed at commit, so every delivery of it is the same. */
import type { Json } from "@backstep/saga-core/adapter";
import type { OutboxEvent } from "@backstep/saga-core/journal";
import type { Result } from "neverthrow";
import { type CloudEvent, cloudEvent } from "../events/cloud-event.ts";
import type { EventInvalid } from "../events/event-invalid.ts";
import { parseJsonText } from "../events/json-data.ts";

export function cloudEventOf({ id, source, type, subject, time, sagaId, data }: OutboxEvent): Result<CloudEvent, EventInvalid> {
  return parseJsonText(data).andThen((json) =>
    cloudEvent<Json | undefined>({ id, source, type, subject, time, extensions: { sagaid: sagaId }, data: json }),
  );
}

/**
 * Events of one lane are published one after the other. A lane is a subject of a source, or, for events without a subject, their saga:
 * across lanes there is no order.
 */
export function laneOf({ source, subject, sagaId }: OutboxEvent): string {
  return subject === undefined ? JSON.stringify(["saga", sagaId]) : JSON.stringify(["subject", source, subject]);
}
