/** I4, I5 and I7: the journal is ahead of every call, names operations for good, and has one writer at a time. */
import type { History } from "./history.ts";
import { storyOf } from "./story.ts";

/** I4: when a participant is called, the intent of that very operation is on the disk. */
export function intendedBeforeCalled(history: History): readonly string[] {
  return storyOf(history).unannounced.map(({ call, key }) => `call ${call} came under ${key}, which no record had announced`);
}

/** I7: from the moment that a process takes a saga over, nobody else writes, whatever the ones before it believe. */
export function onlyOwnersWrite({ happenings }: History): readonly string[] {
  const violations: string[] = [];
  let owner: number | undefined;
  for (const [at, happening] of happenings.entries()) {
    if (happening._tag === "Adopted") owner = happening.life;
    if (happening._tag !== "Committed") continue;
    owner ??= happening.life;
    if (happening.life !== owner) violations.push(`process ${happening.life} wrote at ${at}, though ${owner} had taken the saga over`);
  }
  return violations;
}

/** I5: one operation, one key, one payload, one time of issue, whoever calls and however often; and no key for two operations. */
export function oneKeyPerOperation(history: History): readonly string[] {
  const { calls, operations } = storyOf(history);
  const reissued = new Set(operations.flatMap((operation) => (operation.reissued ? [operation.place] : [])));
  const operationsOfKey = new Values("is the key of");
  const inputs = new Values("came with the inputs");
  const times = new Values("was issued at");
  const keys = new Values("has the keys");
  const selfUndoing: string[] = [];
  for (const { item } of calls) {
    const { key, slot, place, input, issuedAt, undoes } = item;
    const operation = slot === "compensation" ? `undo of ${place}` : place;
    operationsOfKey.add(key, operation);
    inputs.add(key, input);
    times.add(key, String(issuedAt));
    if (!reissued.has(place)) keys.add(operation, key);
    if (undoes?.key === key) selfUndoing.push(`${key} names an action and its undo`);
  }
  return [...operationsOfKey.differing(), ...inputs.differing(), ...times.differing(), ...keys.differing(), ...selfUndoing];
}

/** The values that were seen under each name, where one is to be expected. */
class Values {
  readonly #words: string;
  readonly #first = new Map<string, string>();
  readonly #others = new Map<string, Set<string>>();

  constructor(words: string) {
    this.#words = words;
  }

  add(name: string, value: string): void {
    const first = this.#first.get(name);
    if (first === undefined) this.#first.set(name, value);
    else if (first !== value) this.#others.set(name, (this.#others.get(name) ?? new Set([first])).add(value));
  }

  differing(): readonly string[] {
    return [...this.#others].map(([name, values]) => `${name} ${this.#words} ${[...values].join(" and ")}`);
  }
}
