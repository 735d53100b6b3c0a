/** Laws that the author of a saga adds: what must hold over the state of its participants. Asked when everything is quiet. */
import { canonicalJson, type Json, toJson } from "@backstep/saga-core/adapter";
import type { Answer, History } from "./history.ts";
import type { Violation } from "./law.ts";

/** A run at its end. */
export interface AtEnd<Participants> {
  readonly participants: Participants;
  /** One per saga, in order of their inputs. */
  readonly answers: readonly Answer[];
  readonly histories: readonly History[];
}

/** A law over participants. `begin` is called before anything happens, what it hands back when all is over. */
export interface ParticipantLaw<Participants> {
  readonly name: string;
  // Method syntax on purpose: a law over a part of the participants fits where all of them are given.
  begin(participants: Participants): End<Participants> | PromiseLike<End<Participants>>;
}

type End<Participants> = (end: AtEnd<Participants>) => Violations | PromiseLike<Violations>;
type Violations = readonly Violation[];
/** What is wrong, in words; nothing when the law is kept. */
type Flaws = string | readonly string[] | undefined;

/** What is measured is the same at the end as it was at the beginning, whatever was done and taken back in between. */
export function conserve<Participants>(name: string, measure: (participants: Participants) => unknown): ParticipantLaw<Participants> {
  return {
    name,
    async begin(participants) {
      const expected = textOf(await measure(participants));
      return async (end) => {
        const found = textOf(await measure(end.participants));
        const says = `${name} is conserved`;
        return found === expected
          ? []
          : [{ law: name, says, message: `it was ${expected} at the beginning, and is ${found} at the end`, values: { expected, found } }];
      };
    },
  };
}

/** Something is so at the end. */
export function invariant<Participants>(
  name: string,
  check: (participants: Participants) => Flaws | PromiseLike<Flaws>,
): ParticipantLaw<Participants> {
  return law(name, ({ participants }) => check(participants));
}

/** Something is so at the end, of participants and of what callers were answered, taken together. */
export function law<Participants>(
  name: string,
  check: (end: AtEnd<Participants>) => Flaws | PromiseLike<Flaws>,
): ParticipantLaw<Participants> {
  return {
    name,
    begin: () => async (end) => {
      const flaws = await check(end);
      const messages = flaws === undefined ? [] : typeof flaws === "string" ? [flaws] : flaws;
      return messages.map((message) => ({ law: name, says: name, message }));
    },
  };
}

function textOf(value: unknown): string {
  return toJson(value).match(
    (json: Json) => canonicalJson(json),
    ({ path, found }) => `no JSON: ${path === "" ? "it" : path} is ${found}`,
  );
}
