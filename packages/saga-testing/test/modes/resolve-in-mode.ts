/** Lets tests run in a mode without being changed: whoever imports saga-core's front door gets the mode's instead. */
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { Plugin } from "vitest/config";

const MODES = import.meta.dirname;
const CORE = fileURLToPath(new URL("../../../saga-core/src/", import.meta.url));
const DOOR = resolve(CORE, "index.ts");
const DOOR_IN_MODE = resolve(MODES, "saga-core-in-mode.ts");
/** What the modes are made of is made with the ordinary engine. */
const MODES_OWN = new Set([DOOR_IN_MODE, resolve(MODES, "crashing-engine.ts"), resolve(MODES, "disturbed-transport.ts")]);

export function resolveInMode(): Plugin {
  return {
    name: "backstep-mode",
    enforce: "pre",
    resolveId(source, importer) {
      if (importer === undefined || MODES_OWN.has(importer) || importer.startsWith(CORE)) return undefined;
      const isDoor = source === "@backstep/saga-core" || (source.startsWith(".") && resolve(dirname(importer), source) === DOOR);
      return isDoor ? DOOR_IN_MODE : undefined;
    },
  };
}
