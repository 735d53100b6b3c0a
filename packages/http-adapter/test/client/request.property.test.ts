// Goal: whatever text an input holds, in a path, a query string, a body or a header, the service gets that text. Method: random texts through the real client and the real
// server in one process; what no URL can carry must be refused before anything is sent.
import { contract, query } from "@backstep/contract";
import { createServer } from "@backstep/http-adapter/server";
import { createFence, createMemoryDatabase } from "@backstep/participant";
import { idempotencyKey } from "@backstep/saga-core/adapter";
import fc from "fast-check";
import { ok } from "neverthrow";
import { afterAll, expect, test } from "vitest";
import { z } from "zod";
import { createClient } from "../../src/client.ts";
import { openRig } from "../server/rig.ts";
import { warehouse } from "../warehouse.ts";
import { ORIGIN } from "./calls.ts";

const RUNS = 300;

const echo = contract({
  name: "echo",
  operations: {
    repeat: query({
      summary: "Says what it was asked.",
      path: "/texts/{text}/repetition",
      input: z.strictObject({ text: z.string(), again: z.string().optional() }),
      output: z.strictObject({ text: z.string(), again: z.string().optional() }),
      rejections: [],
    }),
  },
});

const database = createMemoryDatabase();
const fence = createFence({ database, retentionMs: 60_000 });
const echoing = createServer({ contract: echo, database, fence, service: { repeat: async (_context, input) => ok(input) } });
const rig = await openRig("memory");
afterAll(() => rig.close());

const hostile = fc.constantFrom(
  "/",
  "%",
  "%2f",
  "%25",
  "?",
  "#",
  "&",
  "=",
  "+",
  " ",
  ".",
  "..",
  "\\",
  ";",
  ":",
  "é",
  "홍",
  "\u{1f375}",
  "\n",
  '"',
  "{x}",
  "$&",
);
const anyText = fc.oneof(
  fc.string({ unit: "binary", minLength: 1, maxLength: 12 }),
  fc.array(hostile, { minLength: 1, maxLength: 8 }).map((parts) => parts.join("")),
);
/** Servers refuse U+0000, which databases cannot keep. */
const text = anyText.filter((each) => !each.includes("\0"));

/** The schema library keeps members of this name out, wherever they come from. */
const json = fc.jsonValue({ maxDepth: 3 }).filter((value) => !JSON.stringify(value).includes("__proto__"));

/** Dots alone are another path, and half a character is no text. */
const canTravel = (path: string): boolean => path !== "." && path !== "..";

test("a text in a path and one in a query string arrive as they were", async () => {
  await fc.assert(
    fc.asyncProperty(text, fc.option(text, { nil: undefined }), async (inPath, again) => {
      let sent = 0;
      const client = createClient(echo, {
        baseUrl: ORIGIN,
        fetch: (request) => {
          sent += 1;
          return echoing.fetch(request);
        },
      });
      const answered = await client.repeat({ text: inPath, again });
      if (canTravel(inPath)) expect(answered._unsafeUnwrap()).toEqual(again === undefined ? { text: inPath } : { text: inPath, again });
      else expect([answered._unsafeUnwrapErr()._tag, sent]).toEqual(["Faulted", 0]);
    }),
    { numRuns: RUNS },
  );
});

test("a text in a body arrives as it was, and the same call again is answered from the record", async () => {
  let items = 0;
  const client = createClient(warehouse, { baseUrl: ORIGIN, fetch: (request) => rig.server.fetch(request) });
  await fc.assert(
    fc.asyncProperty(
      text.filter((each) => each.length <= 40),
      json,
      async (label, notes) => {
        items += 1;
        const itemId = `item-${items}`;
        const key = idempotencyKey({ sagaId: "s1", path: `run/${items}`, slot: "action" });
        const plain = JSON.parse(JSON.stringify({ itemId, label, notes })) as { itemId: string; label: string; notes: null };
        for (const attempt of [1, 2]) {
          const added = await client.addItem(plain, { key, sagaId: "s1", issuedAt: rig.clock.now, attempt });
          expect(added._unsafeUnwrap()).toEqual({ itemId });
        }
        expect((await client.findItem({ itemId }))._unsafeUnwrap()).toEqual({ ...plain, units: 0 });
      },
    ),
    { numRuns: RUNS },
  );
});
