/** The laws as planned sagas are held to them: those of the test kit, replayed from every prefix of the journal, and what only a planned saga can tell. */
import { LAWS as LAWS_OF_ALL, type Law, type LawName as NameOfAll, REPLAY_FROM_EVERY_PREFIX } from "@backstep/saga-testing/laws";
import { COUNTED } from "./law-counted.ts";

export const LAWS: readonly Law[] = [
  ...LAWS_OF_ALL.map((law) => (law.name === REPLAY_FROM_EVERY_PREFIX.name ? REPLAY_FROM_EVERY_PREFIX : law)),
  COUNTED,
];

export type LawName = NameOfAll | (typeof COUNTED)["name"];
