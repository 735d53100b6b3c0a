/**
 * Where participants stand during one run: the simulator's clock, its ears and its will. A run makes its own participants at a site of its own, so that no run knows
 * of another. Everything here is synchronous; what stands on it goes on by microtasks alone.
 */

export interface Site {
  /** The participants' clock, epoch milliseconds, virtual. */
  now(): number;
  /** Told when business code took effect and when an effect was taken back: oracles count them. */
  readonly effects: SiteEffects;
  /** Picks one of bounded alternatives; the first is the undisturbed one. Recorded, so that the kit explores the others. */
  choose(question: string, alternatives: readonly string[]): string;
}

export interface SiteEffects {
  /** The action of this key had its effect, and the effect is committed. Told once per key, unless the participant is broken. */
  applied(key: string): void;
  /** The effect of the action of this key is gone: its undo's code ran, and that is committed. The key is the action's, not the undo's. */
  takenBack(key: string): void;
}

/** The same place, for what stands there before the story begins: nothing that is done at it is counted, and nobody else's choice is asked for. */
export function quiet({ now }: Site): Site {
  return { now, effects: { applied: () => undefined, takenBack: () => undefined }, choose: (_question, [first = ""]) => first };
}
