/** What happened when, for whoever wants to know why: to a file, to the terminal, or to nobody. Takes the processes' own words, too. */
import { createWriteStream, type WriteStream } from "node:fs";
import { Writable } from "node:stream";

export interface LogOptions {
  readonly path: string | undefined;
  readonly verbose: boolean;
}

export class Log {
  readonly #file: WriteStream | undefined;
  readonly #verbose: boolean;
  readonly #begunAt = performance.now();

  constructor({ path, verbose }: LogOptions) {
    this.#file = path === undefined ? undefined : createWriteStream(path);
    this.#verbose = verbose;
  }

  write(text: string): void {
    const line = `${((performance.now() - this.#begunAt) / 1_000).toFixed(3).padStart(9)}  ${text}\n`;
    this.#file?.write(line);
    if (this.#verbose) process.stdout.write(line);
  }

  /** Where a process may say what goes wrong in it. */
  wordsOf(name: string): Writable {
    return new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        for (const line of chunk.toString().trimEnd().split("\n")) this.write(`${name}: ${line}`);
        done();
      },
    });
  }

  close(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    if (this.#file === undefined) resolve();
    else this.#file.end(resolve);
    return promise;
  }
}
