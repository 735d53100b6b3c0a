/** The modes in which the ordinary tests run again. In each, something goes wrong always and everywhere, and the tests must not notice. */

/**
 * `crash-after-append`: the process dies at every append that took effect, before it learns so; the next one goes on. `duplicate-commands`: every command arrives twice,
 * one after the other, and the second answer is the one that is heard, if the second was taken at all. `lose-first-answers`: of every operation the first answer is lost on its way back.
 * `undo-overtakes`: of every action that is undone the request arrives once more, after its undo was answered.
 *
 * An action that had *not* arrived before its undo cannot be made to, in a test that wants the action's output: that is what a proof's `arrive-late` plays.
 */
export const MODES = ["crash-after-append", "duplicate-commands", "lose-first-answers", "undo-overtakes"] as const;

export type Mode = (typeof MODES)[number];

/** The mode that a run is in: its project's, in `vitest.config.ts`; none in an ordinary run. */
export function readMode(environment: Readonly<Record<string, string | undefined>>): Mode | undefined {
  const wanted = environment["BACKSTEP_MODE"];
  const mode = MODES.find((name) => name === wanted);
  if (wanted !== undefined && mode === undefined) throw new TypeError(`BACKSTEP_MODE is ${wanted}, and no mode: ${MODES.join(", ")}`);
  return mode;
}
