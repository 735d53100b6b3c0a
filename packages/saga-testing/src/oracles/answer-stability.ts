/** One key, one answer: whoever asks a participant again under a key hears what was decided for it, and what was sealed stays sealed (invariant 11, FS-03, FS-15). */
import { isDecision } from "./answer-body.ts";
import type { Delivered, History } from "./history.ts";
import { storyOf } from "./story.ts";

interface Heard {
  readonly decided: Map<string, string>;
  sealed: boolean;
}

export function answersAreStable(history: History): readonly string[] {
  const { deliveries, keys } = storyOf(history);
  const heard = new Map<string, Heard>();
  const violations: string[] = [];
  for (const { item } of deliveries) {
    const { key, slot, body } = item;
    // Whoever only reads may find something else each time.
    if (keys.get(key)?.operation.kind === "readOnly") continue;
    const known = heard.get(key) ?? { decided: new Map<string, string>(), sealed: false };
    heard.set(key, known);
    if (saysSealed(item)) known.sealed = true;
    else if (decides(item)) {
      const before = known.decided.get(slot);
      if (before !== undefined && before !== body) violations.push(`${key} was answered "${before}", and later "${body}"`);
      if (known.sealed && body.startsWith("ok")) violations.push(`${key} was sealed, and later answered "${body}"`);
      known.decided.set(slot, body);
    }
  }
  return violations;
}

function saysSealed({ slot, body }: Delivered): boolean {
  return body === "Sealed" || (slot === "ask" && body.includes('"_tag":"SealedForGood"'));
}

/** A deciding query that found out nothing has decided nothing, though it was answered; and one that finds a rejection says so in a success. */
function decides({ slot, body }: Delivered): boolean {
  return isDecision(body) && !(slot === "ask" && body.includes('"_tag":"StillUnknown"'));
}
