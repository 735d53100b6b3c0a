/** The door for whoever judges runs without the simulator: histories, the laws, and what a run looks like on paper. */
export { answerBody } from "./oracles/answer-body.ts";
export type {
  Acknowledged,
  Adopted,
  Answer,
  Answered,
  Applied,
  Called,
  CancelAnswered,
  Committed,
  Delivered,
  Died,
  Happening,
  History,
  SignalAnswered,
  TakenBack,
  Told,
} from "./oracles/history.ts";
export type { Law, Violation } from "./oracles/law.ts";
export { REPLAY_FROM_EVERY_PREFIX } from "./oracles/law-replay.ts";
export { judge, LAWS, type LawName } from "./oracles/laws.ts";
export { judgeTogether, RUN_LAWS, type RunHistory, type RunLaw } from "./oracles/run-laws.ts";
export { type OperationStory, type Placed, type Story, standing, storyOf } from "./oracles/story.ts";
export type { FaultHappening, LogLine } from "./report/log.ts";
export { type MermaidOptions, mermaidOf } from "./report/mermaid.ts";
export { timelineOf } from "./report/timeline.ts";
