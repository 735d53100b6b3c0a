/** A contract at the edges of what a contract may say: nothing to answer, optional members, texts without bounds, an input without members. */
import { command, contract, query, undo } from "@backstep/contract";
import { z } from "zod";

const shelf = z.strictObject({ shelf: z.string(), note: z.string().nullish() });

export const shelves = contract({
  name: "shelf",
  operations: {
    open: command({
      summary: "Opens a shelf.",
      path: "/shelves/{shelf}/opening",
      method: "PUT",
      input: shelf,
      output: z.undefined(),
      rejections: [],
    }),
    close: undo({ summary: "Closes it again.", path: "/shelves/{shelf}/opening", method: "DELETE", undoes: "open", input: shelf }),
    listShelves: query({
      summary: "Lists shelves.",
      path: "/shelves",
      input: z.strictObject({}),
      output: z.array(z.string()),
      rejections: [],
    }),
    search: query({
      summary: "Searches shelves.",
      path: "/search",
      input: z.looseObject({ words: z.string().optional(), limit: z.number().optional(), open: z.boolean().optional() }),
      output: z.array(z.string()),
      rejections: [],
    }),
  },
});
