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

/**
 * What is measured is the same at the end as it was at the beginning, whatever was done and taken back in between. Any JSON will do; of objects, a violation shows the
 * members that differ.
 *
 * @throws {TypeError} before anything happens, when what is measured is no JSON: two such values could not be told apart.
 */
export function conserve<Participants>(name: string, measure: (participants: Participants) => unknown): ParticipantLaw<Participants> {
  const says = `${name} is conserved`;
  const measured = async (participants: Participants): Promise<Json> => jsonOf(name, await measure(participants));
  return {
    name,
    async begin(participants) {
      const before = await measured(participants);
      return (end) =>
        asked(name, says, async () => {
          const after = await measured(end.participants);
          if (canonicalJson(before) === canonicalJson(after)) return [];
          const [expected, found] = differenceOf(before, after);
          return [
            { law: name, says, message: `it was ${expected} at the beginning, and is ${found} at the end`, values: { expected, found } },
          ];
        });
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
    begin: () => (end) =>
      asked(name, name, async () => {
        const flaws = await check(end);
        const messages = flaws === undefined ? [] : typeof flaws === "string" ? [flaws] : flaws;
        return messages.map((message) => ({ law: name, says: name, message }));
      }),
  };
}

/** A law that cannot be asked is not kept: what it throws is told with the run that made it throw. */
async function asked(name: string, says: string, ask: () => Promise<Violations>): Promise<Violations> {
  try {
    return await ask();
  } catch (thrown) {
    return [{ law: name, says, message: `it could not be asked: ${String(thrown)}` }];
  }
}

function jsonOf(name: string, value: unknown): Json {
  return toJson(value).match(
    (json) => json,
    ({ path, found }) => {
      throw new TypeError(`conserve("${name}") measures JSON; ${path === "" ? "it" : path} is ${found}`);
    },
  );
}

/** Both values as text; of two objects, only the members that differ. */
function differenceOf(before: Json, after: Json): readonly [string, string] {
  if (!isObject(before) || !isObject(after)) return [canonicalJson(before), canonicalJson(after)];
  const differs = (key: string): boolean => canonicalJson(before[key]) !== canonicalJson(after[key]);
  const only = (json: JsonObject): string => canonicalJson(Object.fromEntries(Object.entries(json).filter(([key]) => differs(key))));
  return [only(before), only(after)];
}

type JsonObject = { readonly [key: string]: Json };

function isObject(json: Json): json is JsonObject {
  return typeof json === "object" && json !== null && !Array.isArray(json);
}
