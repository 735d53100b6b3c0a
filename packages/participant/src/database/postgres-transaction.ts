/**
 * One transaction on Postgres: the port's operations as statements, sent in the order of the calls, whoever awaits them, and without waiting for one another: the server takes one after the other, and after one that
 * it refused refuses the rest, the commit included, unless a part is undone in between. What gives nothing back resolves at the call, so a transaction lasts as many ways to the server as it has questions, undone parts
 * among them. Begin and running again are `postgres-database.ts`.
 */
import type { Result } from "neverthrow";
import type { Page, Table, Transaction } from "../database.ts";
import { DatabaseMisused, DatabaseUnavailable } from "./database-errors.ts";
import type { PostgresConnection } from "./postgres-connection.ts";
import { documentFrom, storedField, storedText } from "./postgres-document.ts";
import { beginningOf, columnOf, type PostgresTables } from "./postgres-tables.ts";
import { type AnyTable, assertIndexed, assertTable, documentOf, isKey, keyOf, limitOf, rowOf } from "./row-check.ts";
import { type Savepoints, TransactionLife } from "./transaction-life.ts";

/** Postgres must fit three entries of an index onto a page; what is longer it may refuse. */
const KEY_BYTES_MAX = 2_000;

interface StoredRow {
  readonly key: string;
  readonly document: string;
}

/** Tells a COMMIT that failed from whatever else ends a transaction. */
export class CommitFailed extends Error {}

export class PostgresTransaction implements Transaction {
  readonly life = new TransactionLife();
  readonly #connection: PostgresConnection;
  readonly #tables: PostgresTables;
  readonly #savepoints: Savepoints;
  /** Settled when all that was called is on its way, or will never be. */
  #sent: Promise<void> = Promise.resolve();
  /** Settled when all that asked for something has its answer, understood or not. */
  #asked: Promise<void> = Promise.resolve();
  /** Settled when the server has taken or refused all that gives nothing back. */
  #told: Promise<void> = Promise.resolve();

  constructor(connection: PostgresConnection, tables: PostgresTables) {
    this.#connection = connection;
    this.#tables = tables;
    const tell = (text: string): void => void this.#tell(() => connection.command(text));
    const ask = (text: string): void => void this.#ask(() => connection.command(text)).catch(() => undefined);
    this.#savepoints = {
      set: (depth) => tell(`SAVEPOINT part_${depth}`),
      // Undoing a part revives a transaction in which the server had refused something, so the commit waits until that is known here.
      undo: (depth) => ask(`ROLLBACK TO SAVEPOINT part_${depth}; RELEASE SAVEPOINT part_${depth}`),
      release: (depth) => tell(`RELEASE SAVEPOINT part_${depth}`),
    };
  }

  /** Resolves when everything that was called has ended, however it ended. */
  async settled(): Promise<void> {
    await this.#sent;
    await Promise.all([this.#asked, this.#told]);
  }

  /**
   * Sends the commit behind everything that was called. The server answers it with a rollback if it refused any of that.
   *
   * @throws {CommitFailed} With its cause, when nothing before it had failed.
   */
  async commit(): Promise<void> {
    this.life.finish();
    await this.#sent;
    await this.#asked;
    // Behind whatever is still to be heard of what has failed: what could not be sent, or was not understood, the server knows nothing of.
    await new Promise<void>((resolve) => process.nextTick(resolve));
    this.life.assertSound();
    const committing = committed(this.#connection);
    await this.#told;
    const failed = await committing;
    this.life.assertSound();
    if (failed !== undefined) throw failed;
  }

  get<Row>(table: Table<Row>, key: string): Promise<Row | undefined> {
    return this.#step(() => {
      const rows = isKey(key) ? this.#select(table, "WHERE key = $1", [key]) : nothing(table);
      return rows.then(([row]) => row);
    });
  }

  insert<Row>(table: Table<Row>, row: Row): Promise<boolean> {
    return this.#step(() => {
      const send = this.#writing(table, row, "ON CONFLICT (key) DO NOTHING");
      return this.#ask(send, this.#ready(table)).then((count) => count === 1);
    });
  }

  put<Row>(table: Table<Row>, row: Row): Promise<void> {
    return this.#step(() => {
      const send = this.#writing(table, row, "ON CONFLICT (key) DO UPDATE SET document = excluded.document");
      return this.#tell(send, this.#ready(table));
    });
  }

  remove<Row>(table: Table<Row>, key: string): Promise<void> {
    return this.#step(() => {
      assertTable(table);
      if (!isKey(key)) return Promise.resolve();
      return this.#tell(
        () => this.#connection.change(`DELETE FROM ${this.#tables.nameOf(table)} WHERE key = $1`, [key]),
        this.#ready(table),
      );
    });
  }

  find<Row>(
    table: Table<Row>,
    where: { readonly field: keyof Row & string; readonly equals: string },
    page?: Page,
  ): Promise<readonly Row[]> {
    return this.#step(() => {
      assertIndexed(table, where.field);
      if (!where.equals.isWellFormed()) return nothing(table);
      const column = columnOf(where.field);
      const clause = `WHERE ${beginningOf(column)} = ${beginningOf("$1::text")} AND ${column} = $1 AND key > $2 ORDER BY key LIMIT $3`;
      return this.#select(table, clause, [storedField(where.equals), afterOf(page), limitOf(page)]);
    });
  }

  list<Row>(table: Table<Row>, page?: Page): Promise<readonly Row[]> {
    return this.#step(() => this.#select(table, "WHERE key > $1 ORDER BY key LIMIT $2", [afterOf(page), limitOf(page)]));
  }

  async nested<Value, Failure>(body: () => Promise<Result<Value, Failure>>): Promise<Result<Value, Failure>> {
    return this.life.nested(this.#savepoints, body);
  }

  /** An operation that fails ends the transaction, which tells; that nobody awaited the operation is no reason to end the process, too. */
  #step<Outcome>(work: () => Promise<Outcome>): Promise<Outcome> {
    const outcome = (async () => this.life.step(work))();
    outcome.catch(() => undefined);
    return outcome;
  }

  #select<Row>(table: Table<Row>, clause: string, values: readonly (string | number)[]): Promise<readonly Row[]> {
    assertTable(table);
    return this.#ask(async () => {
      const statement = `SELECT key, document FROM ${this.#tables.nameOf(table)} ${clause}`;
      const stored = await this.#connection.ask<StoredRow>(statement, values);
      return stored.map(({ key, document }) => rowOf(table, key, () => documentFrom(document)));
    }, this.#ready(table));
  }

  /** Everything about the row is settled at the call: the caller may change it while it waits for its turn. */
  #writing<Row>(table: Table<Row>, row: Row, onConflict: string): () => Promise<number> {
    assertTable(table);
    const key = keyOf(table, row);
    if (Buffer.byteLength(key) > KEY_BYTES_MAX) throw new DatabaseMisused(`${table.name}: a key is at most ${KEY_BYTES_MAX} bytes long`);
    const document = storedText(documentOf(table, row));
    const statement = `INSERT INTO ${this.#tables.nameOf(table)} (key, document) VALUES ($1, $2) ${onConflict}`;
    return () => this.#connection.change(statement, [key, document]);
  }

  #ready(table: AnyTable): Ready {
    return () => this.#tables.assertThere(this.#connection, table);
  }

  #ask<Outcome>(send: () => Promise<Outcome>, ready: Ready = () => undefined): Promise<Outcome> {
    const outcome = this.#send(send, ready);
    this.#asked = bothSettled(this.#asked, outcome);
    return outcome;
  }

  /** Resolves at once: how it ends is told by what comes after it, by the commit at last. */
  #tell(send: () => Promise<unknown>, ready: Ready = () => undefined): Promise<void> {
    this.#told = bothSettled(this.#told, this.#send(send, ready));
    return Promise.resolve();
  }

  #send<Outcome>(send: () => Promise<Outcome>, ready: Ready): Promise<Outcome> {
    const sent = this.#sent.then(async () => {
      this.life.assertSound();
      await ready();
      // In an object, or this would wait for it.
      return { answer: send() };
    });
    this.#sent = sent.then(
      () => undefined,
      () => undefined,
    );
    return sent.then(({ answer }) => answer).catch((cause: unknown) => this.#fail(cause));
  }

  /** What comes after a failure fails for that alone, and has the same to say. */
  #fail(cause: unknown): never {
    this.life.fail(cause);
    throw this.life.failure?.cause;
  }
}

/** What has to be awaited before something may be sent, and before anything that is called later. */
type Ready = () => Promise<void> | undefined;

/** Keeps nothing of what they came to. */
async function bothSettled(earlier: Promise<void>, later: Promise<unknown>): Promise<void> {
  await Promise.allSettled([earlier, later]);
}

async function committed(connection: PostgresConnection): Promise<CommitFailed | undefined> {
  try {
    const { tag } = await connection.command("COMMIT");
    // The server's way to say that it had undone the transaction before.
    return tag === "COMMIT"
      ? undefined
      : new CommitFailed(undefined, { cause: new DatabaseUnavailable("the database undid the transaction") });
  } catch (cause) {
    return new CommitFailed(undefined, { cause });
  }
}

function nothing(table: AnyTable): Promise<readonly never[]> {
  assertTable(table);
  return Promise.resolve([]);
}

/** No key holds U+0000, so none lies between a text and what follows it behind one. */
function afterOf(page: Page | undefined): string {
  const [beginning = ""] = (page?.after ?? "").split("\u0000", 1);
  return beginning.toWellFormed();
}
