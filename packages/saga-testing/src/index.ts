/** The front door: proves a saga, tells one story of it, and gives its participants a place to stand. */
export type { ParticipantsMaker, SagaOf, Subject } from "./cast.ts";
export type { Counterexample } from "./counterexample.ts";
export { type Exploration, explore, type Summary } from "./explore.ts";
export type { ExploreOptions, Progress, RandomOptions } from "./explore-options.ts";
export { type AtEnd, conserve, invariant, law, type ParticipantLaw } from "./oracles/conserve.ts";
export type { Answer, Committed, Happening, History } from "./oracles/history.ts";
export type { Violation } from "./oracles/law.ts";
export {
  effectsOf,
  type FakeAnswers,
  type FakeClient,
  type FakeContext,
  type FakeOptions,
  type FakeRejections,
  fakeClient,
} from "./participants/fake-client.ts";
export type { EffectOf, FakeEffects } from "./participants/fake-ledger.ts";
export {
  type BusinessAnswer,
  type Fenced,
  type FencedCall,
  type FencedOptions,
  type FencedUndoCall,
  fenced,
} from "./participants/fenced.ts";
export { type LocalClientOptions, localClient } from "./participants/local-client.ts";
export { quiet, type Site, type SiteEffects } from "./participants/site.ts";
export { prove, SagaRefuted } from "./prove.ts";
export type { LogLine } from "./report/log.ts";
export { describeNamed, describeSummary } from "./report/summary.ts";
export { type Outcome, type Scenario, type ScenarioOptions, scenario } from "./scenario.ts";
export { ELSEWHERE, type Met, NAMED_SCHEDULES, type NamedSchedule, type Struck } from "./schedule/catalogue.ts";
export type { Place, Point } from "./schedule/choices.ts";
export type { Coverage } from "./schedule/coverage.ts";
export { type AppendFault, type CallFault, FAULT_NAMES, type FaultName } from "./schedule/fault.ts";
export { type Deviation, formatSchedule, parseSchedule, type Schedule, type ScheduleInvalid } from "./schedule/schedule.ts";
export { type Outside, ProofFailed, type Run } from "./simulation/simulation.ts";
