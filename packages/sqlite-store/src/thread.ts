/** What runs in a store's thread: the store itself, on a connection of its own. Ends when it is told to close, or with the process. */
import { parentPort, workerData } from "node:worker_threads";
import { type OpenOptions, openDatabase } from "./open-database.ts";
import { storeOn } from "./store-on.ts";
import { type AnswersMessage, type AnyResult, type CallsMessage, perform } from "./thread-wire.ts";

const { shared, ...options } = workerData as OpenOptions & { readonly shared: boolean };
const port = parentPort;
if (port === null) throw new Error("this file runs in a thread of its own");
const store = storeOn(openDatabase(options), { busyTimeoutMs: options.busyTimeoutMs, shared, now: Date.now });
let oks: number[] = [];
let answers: AnswersMessage["answers"][number][] = [];

port.on("message", (message: CallsMessage | "close") => {
  if (message === "close") void close();
  else message.calls.forEach((call, at) => void perform(store, call).then((result) => answer(message.first + at, result)));
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
function answer(call: number, result: AnyResult): void {
  if (oks.length + answers.length === 0) queueMicrotask(flush);
  if (result.isOk() && result.value === undefined) oks.push(call);
  else answers.push(result.isOk() ? [call, true, result.value] : [call, false, result.error]);
}

function flush(): void {
  const message: AnswersMessage = { oks, answers, statistics: store.statistics() };
  oks = [];
  answers = [];
  port?.postMessage(message);
}
