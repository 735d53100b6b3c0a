/** One entry per name of the exports map; dependencies stay outside. */
import { defineConfig } from "tsup";

export default defineConfig({
  entry: ["src/index.ts", "src/sqlite.ts", "src/conformance.ts"],
  format: ["esm"],
  dts: true,
  clean: true,
  target: "es2024",
  platform: "node",
  // Otherwise esbuild writes `sqlite` for `node:sqlite`, which Node does not know.
  removeNodeProtocol: false,
  tsconfig: "../../tsconfig.json",
});
