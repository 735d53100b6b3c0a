/** The front door: proves a saga, tells one story of it, and gives its participants a place to stand. */
export type { ParticipantsMaker, Subject } from "./cast.ts";
export type { Counterexample } from "./counterexample.ts";
export { type Exploration, type ExploreOptions, explore, type Progress, type RandomOptions, type Summary } from "./explore.ts";
export { type AtEnd, conserve, invariant, law, type ParticipantLaw } from "./oracles/conserve.ts";
export type { Answer, Happening, History } from "./oracles/history.ts";
export type { Violation } from "./oracles/law.ts";
export { type Fenced, type FencedOptions, fenced } from "./participants/fenced.ts";
export type { Site, SiteEffects } from "./participants/site.ts";
export { prove, SagaRefuted } from "./prove.ts";
export { describeNamed, describeSummary } from "./report/summary.ts";
export { type Outcome, type Scenario, type ScenarioOptions, scenario } from "./scenario.ts";
export { type Met, NAMED_SCHEDULES, type NamedSchedule } from "./schedule/catalogue.ts";
export type { Coverage } from "./schedule/coverage.ts";
export { type AppendFault, type CallFault, FAULT_NAMES, type FaultName } from "./schedule/fault.ts";
export { type Deviation, formatSchedule, parseSchedule, type Schedule, type ScheduleInvalid } from "./schedule/schedule.ts";
export type { LogLine, Outside, Run } from "./simulation/simulation.ts";
