/** The steps of planned sagas, and what they need of whoever plays the participants. */
import type { Result } from "neverthrow";
import { type Call, type CompensationContext, type Fault, type Resolution, step } from "../../src/index.ts";
import type { InDoubt } from "./saga-plan.ts";
import type { Script } from "./script.ts";

/** A step's input. */
export interface Order {
  readonly place: string;
  /** Depends on all that the body learned so far, so that a replay which hands out anything else is found out. */
  readonly carried: string | number;
  readonly script: Script;
}

/** A step's output. */
export interface Receipt {
  readonly place: string;
  readonly number: number;
}

export interface Refusal {
  readonly _tag: "Refused" | "Sorry";
}

export interface Participants {
  act(step: string, order: Order, call: Call): Promise<Result<Receipt, Refusal | Fault>>;
  read(step: string, order: Order, call: Call): Promise<Result<Receipt, Refusal | Fault>>;
  undo(step: string, order: Order, context: CompensationContext<Receipt>): Promise<Result<undefined, Fault>>;
  ask(step: string, order: Order, call: Call): Promise<Result<Resolution<Receipt, Refusal>, Fault>>;
}

const RETRY = { attempts: 3, delayMs: 10, delayMsMax: 40, timeoutMs: 100, horizonMs: 2_000 } as const;
const UNDO_RETRY = { ...RETRY, attempts: 4, horizonMs: 3_000 } as const;
const FORWARD_RETRY = { ...RETRY, attempts: 4 } as const;

export type Steps = ReturnType<typeof declareSteps>;

export function declareSteps(participants: Participants) {
  const answering = (name: string) => ({
    name,
    run: (order: Order, { call }: { readonly call: Call }) => participants.act(name, order, call),
    resolve: (order: Order, { call }: { readonly call: Call }) => participants.ask(name, order, call),
  });
  const act = (inDoubt: InDoubt) => {
    const { resolve, ...rest } = answering(`act.${inDoubt}`);
    return step({
      ...rest,
      ...(inDoubt === "resolve" ? { resolve } : {}),
      compensate: (order: Order, context: CompensationContext<Receipt>) => participants.undo(rest.name, order, context),
      inDoubt,
      retry: RETRY,
      compensationRetry: UNDO_RETRY,
    });
  };
  return {
    act: { compensate: act("compensate"), resolve: act("resolve"), park: act("park") },
    read: step.readOnly({
      name: "read",
      run: (order: Order, { call }) => participants.read("read", order, call),
      retry: RETRY,
    }),
    look: step.readOnly({
      name: "look",
      run: (order: Order, { call }) => participants.read("look", order, call) as Promise<Result<Receipt, Fault>>,
      retry: FORWARD_RETRY,
    }),
    repeat: step.retriable({
      name: "repeat",
      run: (order: Order, { call }) => participants.act("repeat", order, call) as Promise<Result<Receipt, Fault>>,
      retry: FORWARD_RETRY,
    }),
    pivot: (inDoubt: "resolve" | "park") => step.pivot({ ...answering("decide"), inDoubt, retry: RETRY }),
  };
}
