/**
 * What stands side by side: the same saga, run by different engines. A contender's file exports one `start`; its name, and what it makes durable and when, stand in
 * `contenders.ts`, where they can be read without loading it.
 */

/** `happy`: seven steps succeed. `failing`: the seventh is rejected, and the first four are undone, the last one first. */
export type Way = "happy" | "failing";

export const WAYS: readonly Way[] = ["happy", "failing"];

/** Where a contender may keep what it makes durable. */
export interface Place {
  /** An empty folder of its own on the disk that is measured. */
  readonly folder: string;
  /** An empty database of its own; asking for it starts nothing, the server is there. Throws when this run has no Postgres. */
  postgresUrl(): string;
}

export interface RunningContender {
  /**
   * Runs one saga until its end is durable and known to the caller.
   *
   * @param saga - A number that no saga of this process had before.
   * @throws when the saga ends otherwise than `way` says.
   */
  runSaga(saga: number, way: Way): Promise<void>;
  /** Bytes handed to the disk since the start, as far as they can be counted. */
  bytesWritten?(): Promise<number | undefined>;
  /** A server that works for this contender alone: its memory is shown beside the process's. */
  readonly serverPid?: number | undefined;
  stop(): Promise<void>;
}

export type StartContender = (place: Place) => Promise<RunningContender>;
