/** Why something is not an event that this package understands. Plain data; `message` is for people and holds no event data. */

export interface EventAttributeMissing {
  readonly _tag: "EventAttributeMissing";
  readonly attribute: string;
}

export interface EventAttributeInvalid {
  readonly _tag: "EventAttributeInvalid";
  readonly attribute: string;
  readonly message: string;
}

/** Another version of CloudEvents than 1.0. */
export interface EventVersionUnsupported {
  readonly _tag: "EventVersionUnsupported";
}

/** Data that is no JSON, a batch, or an event format other than JSON. */
export interface EventContentUnsupported {
  readonly _tag: "EventContentUnsupported";
  readonly contentType: string;
}

/** The body is not the JSON that its content type promises. */
export interface EventBodyMalformed {
  readonly _tag: "EventBodyMalformed";
  readonly message: string;
}

export type EventInvalid =
  | EventAttributeMissing
  | EventAttributeInvalid
  | EventVersionUnsupported
  | EventContentUnsupported
  | EventBodyMalformed;
