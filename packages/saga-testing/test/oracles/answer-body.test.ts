// Goal: equal answers are equal text, and what decides for a key is told from what does not. Method: examples of each kind.
import { fault } from "@backstep/saga-core";
import { decided } from "@backstep/saga-core/adapter";
import { err, ok, type Result } from "neverthrow";
import { expect, test } from "vitest";
import { answerBody, isDecision } from "../../src/oracles/answer-body.ts";

test.each<readonly [string, Result<unknown, unknown>, string, boolean]>([
  ["a value", ok({ b: 1, a: "x" }), 'ok {"a":"x","b":1}', true],
  ["no value", ok(undefined), "ok", true],
  ["a value that looks like a tag", ok("Sealed"), 'ok "Sealed"', true],
  ["a value that is no JSON", ok({ when: new Date(0) }), "ok (no JSON: /when is an instance of Date)", true],
  ["a rejection that stands", err(decided({ _tag: "Full", left: 0 })), 'no {"_tag":"Full","left":0}', true],
  ["a rejection of this attempt", err({ _tag: "Full", left: 0 }), "Full", false],
  ["a fault", err(fault("Running", "still at work")), "Running", false],
  ["an error without a tag", err("oops"), "NoTag", false],
])("%s", (_what, answer, body, decides) => {
  expect(answerBody(answer)).toBe(body);
  expect(isDecision(body)).toBe(decides);
});
