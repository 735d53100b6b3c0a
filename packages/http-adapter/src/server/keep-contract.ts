/**
 * What a service says, as its contract has it. An answer that does not fit is thrown before the fence records it: sent, it could give away what the contract keeps
 * back, and its reader could not read it, now or at any repeat. Where a foreign system said it, it stays in doubt: something may well have happened.
 */
import type { Command, Query } from "@backstep/contract";
import type { ForeignAction, ForeignVerdict } from "@backstep/participant";
import { err, ok, type Result } from "neverthrow";
import { match } from "ts-pattern";
import { ContractBroken } from "./contract-broken.ts";

export function keepAnswer(
  name: string,
  operation: Command | Query,
  answered: Result<unknown, unknown> | undefined,
): Result<unknown, unknown> {
  if (answered === undefined) throw new ContractBroken(`${name} answered nothing`);
  return answered.match<Result<unknown, unknown>>(
    (output) => ok(keepOutput(name, operation, output)),
    (rejection) => err(keepRejection(name, operation, rejection)),
  );
}

export function keepAction(name: string, command: Command, action: ForeignAction<unknown, unknown>): ForeignAction<unknown, unknown> {
  const { prepare, effect, query, conclude } = action;
  return {
    prepare:
      prepare === undefined
        ? undefined
        : async (context) => (await prepare(context)).mapErr((rejection) => keepRejection(name, command, rejection)),
    effect: async (context) => keepAnswer(name, command, await effect(context)),
    query: query === undefined ? undefined : async (context) => keepVerdict(name, command, await query(context)),
    conclude,
  };
}

function keepVerdict(name: string, command: Command, verdict: ForeignVerdict<unknown, unknown>): ForeignVerdict<unknown, unknown> {
  return match(verdict)
    .with({ _tag: "Succeeded" }, ({ _tag, output }) => ({ _tag, output: keepOutput(name, command, output) }))
    .with({ _tag: "Rejected" }, ({ _tag, rejection }) => ({ _tag, rejection: keepRejection(name, command, rejection) }))
    .otherwise((undecided) => undecided);
}

function keepOutput(name: string, { output: schema }: Command | Query, output: unknown): unknown {
  const parsed = schema.safeParse(output);
  if (!parsed.success) throw new ContractBroken(`the output of ${name} does not fit its contract`, parsed.error);
  return parsed.data;
}

function keepRejection(name: string, { rejections }: Command | Query, rejection: unknown): unknown {
  const declared = rejections.find(({ tag }) => tag === (rejection as { readonly _tag?: unknown } | undefined)?._tag);
  const parsed = declared?.schema.safeParse(rejection);
  if (parsed?.success !== true) throw new ContractBroken(`${name} was rejected in a way that its contract does not declare`, parsed?.error);
  return parsed.data;
}
