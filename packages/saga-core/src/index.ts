/** The front door: what a saga's author and its host use. */
export type { Answer } from "./definition/answer.ts";
export type { Call, CompensationCall, UndoneOperation } from "./definition/call.ts";
export type { AnyEffect, AnyYieldable, Effect, EffectKind, FailureOf, Yieldable, YieldedErr } from "./definition/effect.ts";
export {
  type AllOptions,
  all,
  changed,
  type EmitOptions,
  type EventDeclaration,
  emit,
  fail,
  type Locked,
  lock,
  now,
  type SignalTimedOut,
  sagaId,
  sleep,
  sleepUntil,
  uuid,
  waitFor,
} from "./definition/effects.ts";
export type {
  Applied,
  Attempt,
  CancelledCause,
  Cause,
  DeadlineCause,
  FaultedCause,
  InDoubt,
  NotApplied,
  Rejected,
  RejectedCause,
  Resolution,
  SealedForGood,
  StillUnknown,
  Succeeded,
  UndoableOutcome,
} from "./definition/outcome.ts";
export { causeTag } from "./definition/outcome.ts";
export { type PivotCall, type PivotStep } from "./definition/pivot.ts";
export { type RetriableStep } from "./definition/retriable.ts";
export type { RetryPolicy } from "./definition/retry-policy.ts";
export { type AnySaga, type CompleteEffect, type NestableSaga, type RunEffect, type Saga, saga } from "./definition/saga.ts";
export type { Body, SagaDefinition } from "./definition/saga-definition.ts";
export { savepoint } from "./definition/savepoint.ts";
export { type Signal, signal } from "./definition/signal.ts";
export { type CompensatableStep, type ReadOnlyStep, step } from "./definition/step.ts";
export type {
  ActionContext,
  CompensationContext,
  InDoubtPolicy,
  ResolveContext,
  StepDefinition,
  StepKind,
} from "./definition/step-definition.ts";
export { DefinitionInvalid } from "./errors/definition-invalid.ts";
export { type Fault, type FaultData, type FaultTag, fault, isFault } from "./errors/fault.ts";
export type { FirstError, SagaCancelled, SagaDeadlineExceeded } from "./errors/first-error.ts";
export type { Divergence, OperatorVerb, ParkCause, ParkedOperation, Quarantine, SagaParked } from "./errors/parked.ts";
export type {
  CancelRefused,
  CompensateRefused,
  SagaAbandoned,
  SagaEnding,
  SagaFaulted,
  SagaIdConflict,
  SagaNotFound,
  SagaRequestInvalid,
  SagaStartError,
  SagaUnavailable,
  SignalRefused,
  StandingEffect,
  VerbRefused,
} from "./errors/saga-error.ts";
export { decided, type Tagged } from "./errors/tagged.ts";
export type { SagaStatus } from "./journal/journal-store.ts";
export { createMemoryStore } from "./journal/memory-store.ts";
export type { Ending, OperationView, SagaView, SlotView, WaitView } from "./journal/saga-view.ts";
export type { Duration } from "./primitives/duration.ts";
export { type IdempotencyKey, idempotencyKey } from "./primitives/idempotency-key.ts";
export type { JournalableCheck, Json, NonJsonPart, NotJournalable } from "./primitives/json.ts";
export type { Horizons } from "./runtime/check-horizons.ts";
export {
  type CancelOptions,
  createEngine,
  type Engine,
  type EngineOptions,
  type RunOptions,
  type SignalOptions,
  type VerbError,
} from "./runtime/engine.ts";
export { type BrokenSaga, type Examination, type ExamineOptions, examineSagas } from "./runtime/examine-sagas.ts";
export type { ForgetOptions, Forgotten } from "./runtime/forget-sagas.ts";
export type {
  AttemptMade,
  EntryAppended,
  Observer,
  QueryMade,
  RecoveryEnded,
  SagaAdopted,
  SagaLeft,
  SagaNotice,
  SagaQuarantined,
} from "./runtime/observer.ts";
export type { OperatorOrder, SettleOrder } from "./runtime/operator-verbs.ts";
export type { Recovery } from "./runtime/recovery.ts";
export type { SagaSnapshot } from "./runtime/saga-reader.ts";
export type { Sending, Transport } from "./runtime/transport.ts";
export { type TryStepOptions, tryStep, type UndoStepOptions, undoStep } from "./runtime/try-step.ts";
