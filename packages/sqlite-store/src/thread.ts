/** What runs in a store's thread: the store itself, on a connection of its own. Ends when it is told to close, or with the process. */
import { parentPort, workerData } from "node:worker_threads";
import { reopenDatabase } from "./open-database.ts";
import { storeOfThread } from "./store-on.ts";
import type { ThreadStoreOptions } from "./thread-store.ts";
import { type CallsMessage, type CallsReader, createAnswersWriter, perform, readCalls } from "./thread-wire.ts";

const { shared, writer, ...options } = workerData as ThreadStoreOptions;
const port = parentPort;
if (port === null) throw new Error("this file runs in a thread of its own");
const { store, appendSound } = storeOfThread(reopenDatabase(options), {
  busyTimeoutMs: options.busyTimeoutMs,
  shared,
  writer,
  now: Date.now,
});
const answers = createAnswersWriter();

const reader: CallsReader = {
  append: (call, request) => appendSound(request, (result) => answer(call, result)),
  ask: (call, asked) => void perform(store, asked).then((result) => answer(call, result)),
};

port.on("message", (message: CallsMessage | "close") => {
  if (message === "close") void close();
  else readCalls(message, reader);
});

async function close(): Promise<void> {
  await store.close();
  // Whatever was answered by the closing is on its way before its end is told.
  setImmediate(() => {
    port?.postMessage("closed");
    port?.close();
  });
}

/** Verdicts of one commit are delivered together, so they go together. */
function answer(call: number, result: Parameters<typeof answers.add>[1]): void {
  if (answers.isEmpty()) queueMicrotask(() => port?.postMessage(answers.take(store.statistics())));
  answers.add(call, result);
}
