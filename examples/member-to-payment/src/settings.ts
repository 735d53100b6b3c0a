/** What a service process is told: where its data lies, where it listens, where its peers are, how patient its saga is. Checked on arrival. */
import { z } from "zod";

export const SERVICE_NAMES = ["member", "member-point", "product", "coupon", "order", "payment"] as const;
export type ServiceName = (typeof SERVICE_NAMES)[number];

/** The six services, and the payment gateway outside, which is nobody's service but somebody else's. */
export const PROCESS_NAMES = [...SERVICE_NAMES, "gateway"] as const;
export type ProcessName = (typeof PROCESS_NAMES)[number];

export const processName = z.enum(PROCESS_NAMES);

const patience = z.strictObject({
  /** Attempts that may end in doubt before a step goes by its policy. */
  attempts: z.int().min(1),
  delayMs: z.int().min(1),
  delayMsMax: z.int().min(1),
  timeoutMs: z.int().min(1),
  /** For one request to the payment gateway. An intent without an answer is left alone for twice as long, then the gateway is asked. */
  gatewayTimeoutMs: z.int().min(1),
  /** For steps of `run` and the pivot. */
  horizonMs: z.int().min(1),
  /** For compensations, and for what comes after the pivot. */
  persistentHorizonMs: z.int().min(1),
  /** How long a large payment waits for somebody to approve it. */
  approvalMs: z.int().min(1),
});

export type Patience = z.output<typeof patience>;

export const DEFAULT_PATIENCE: Patience = {
  attempts: 4,
  delayMs: 100,
  delayMsMax: 5_000,
  timeoutMs: 2_000,
  gatewayTimeoutMs: 1_000,
  horizonMs: 10_000,
  persistentHorizonMs: 24 * 60 * 60 * 1_000,
  approvalMs: 24 * 60 * 60 * 1_000,
};

const serviceSettings = z.strictObject({
  /** Folder for the service's SQLite files; created when missing. */
  dataDir: z.string().min(1),
  /** URL of a Postgres database, in which the service has a schema of its own. Without it, everything lies in the folder. */
  database: z.url({ protocol: /^postgres(ql)?$/, error: "is no URL that begins with postgres://" }).optional(),
  /** 0: any free port. */
  port: z.int().min(0).max(65_535),
  /** Base URLs; only the payment service calls others. */
  peers: z.partialRecord(processName, z.url()),
  /** The payment gateway's secret key: for the gateway, and for the payment service that calls it. */
  apiKey: z.string().min(1).optional(),
  patience: patience.optional(),
  /** How long `POST /checkouts` waits for the saga before it answers 202, in milliseconds. */
  answerWithinMs: z.int().min(1).optional(),
  /** Of payment services that share a journal: after how long, in milliseconds, the others take over when one is gone. */
  leaseMs: z.int().min(50).optional(),
  /** How many checkouts a payment service drives at a time; others wait for their turn. */
  inMemoryMax: z.int().min(1).optional(),
});

export type ServiceSettings = z.output<typeof serviceSettings>;

/** Throws one line that names every flaw when the settings do not fit. */
export function readSettings(text: string | undefined): ServiceSettings {
  if (text === undefined) throw new TypeError("the environment variable BACKSTEP_SERVICE must hold the service's settings as JSON");
  const parsed = serviceSettings.safeParse(parseJson(text));
  if (!parsed.success) throw new TypeError(`the environment variable BACKSTEP_SERVICE: ${parsed.error.issues.map(flaw).join("; ")}`);
  return parsed.data;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new TypeError("the environment variable BACKSTEP_SERVICE holds no JSON");
  }
}

function flaw({ path, message }: z.core.$ZodIssue): string {
  return path.length === 0 ? message : `${path.join(".")}: ${message}`;
}
