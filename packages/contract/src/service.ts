/**
 * What a domain implements: one function per operation of its contract, each inside a transaction that somebody else opened, or the parts of an effect in
 * another system. The service knows nothing of HTTP, and nothing of duplicates: a fence answers those before the service is called.
 */
import type { Result } from "neverthrow";
import type { CommandContext, QueryContext, UndoContext } from "./context.ts";
import type { Command, Contract, InputOf, Operation, OutputOf, RejectionOf, Undo } from "./contract.ts";
import type { Foreign, ForeignAction, ForeignUndo } from "./foreign.ts";

type CommandName<Operations> = {
  [Name in keyof Operations]: Operations[Name] extends Command ? Name : never;
}[keyof Operations];

type CommandHandler<Any extends Operation, Transaction> = (
  context: CommandContext<Transaction>,
  input: InputOf<Any>,
) => Promise<Result<OutputOf<Any>, RejectionOf<Any>>>;

type QueryHandler<Any extends Operation, Transaction> = (
  context: QueryContext<Transaction>,
  input: InputOf<Any>,
) => Promise<Result<OutputOf<Any>, RejectionOf<Any>>>;

type UndoHandler<Any extends Operation, Action extends Operation, Transaction> = (
  context: UndoContext<Transaction, OutputOf<Action>>,
  input: InputOf<Any>,
) => Promise<void>;

type ForeignCommandHandler<Any extends Operation, Transaction> = Foreign<
  InputOf<Any>,
  ForeignAction<Transaction, OutputOf<Any>, RejectionOf<Any>>
>;

type ForeignUndoHandler<Any extends Operation, Action extends Operation, Transaction> = Foreign<
  InputOf<Any>,
  ForeignUndo<Transaction, OutputOf<Action>, RejectionOf<Action>>
>;

/** The command that an undo takes back. */
type UndoneBy<Any extends Undo, Operations> = Any["undoes"] extends keyof Operations
  ? Operations[Any["undoes"]] extends infer Action extends Command
    ? Action
    : never
  : never;

/** An undo is done the way its command is: a fence that finds a foreign intent cannot end it with local code. */
type Handler<Name, Operations, Transaction, ForeignName> = Name extends keyof Operations
  ? Operations[Name] extends infer Any extends Operation
    ? Any extends Command
      ? Name extends ForeignName
        ? ForeignCommandHandler<Any, Transaction>
        : CommandHandler<Any, Transaction>
      : Any extends Undo
        ? Any["undoes"] extends ForeignName
          ? ForeignUndoHandler<Any, UndoneBy<Any, Operations>, Transaction>
          : UndoHandler<Any, UndoneBy<Any, Operations>, Transaction>
        : QueryHandler<Any, Transaction>
    : never
  : never;

/**
 * One function per operation. Commands that `ForeignName` names have their effect in another system: they, and their undos, are made with `foreign` instead.
 */
export type Service<Any extends Contract, Transaction, ForeignName extends CommandName<Any["operations"]> = never> = {
  readonly [Name in keyof Any["operations"]]: Handler<Name, Any["operations"], Transaction, ForeignName>;
};

/** A service of this contract, whichever of its commands are foreign: what a host takes. */
export type AnyService<Any extends Contract, Transaction> = {
  readonly [Name in keyof Any["operations"]]:
    | Handler<Name, Any["operations"], Transaction, never>
    | Handler<Name, Any["operations"], Transaction, CommandName<Any["operations"]>>;
};
