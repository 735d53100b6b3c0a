/** The client's door: it pulls in no server. */
export {
  type Client,
  type ClientCommand,
  type ClientOptions,
  type ClientQuery,
  type ClientUndo,
  createClient,
} from "./client/create-client.ts";
export type { CommandCall, QueryCall, UndoCall } from "./client/request.ts";
