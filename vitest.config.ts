import { defineConfig } from "vitest/config";
import { MODES } from "./packages/saga-testing/test/modes/mode.ts";
import { filesIn } from "./packages/saga-testing/test/modes/mode-suite.ts";
import { resolveInMode } from "./packages/saga-testing/test/modes/resolve-in-mode.ts";

const source = ["source"];
/** The ordinary run has the full number. */
const RUNS_IN_A_MODE = 0.2;

export default defineConfig({
  resolve: { conditions: source },
  ssr: { resolve: { conditions: [...source, "module", "node", "development|production"] } },
  test: {
    reporters: ["default", "./scripts/count-reporter.ts"],
    // Once in some thousands of test files V8 ended the process while it freed code of WebAssembly, which Node's own HTTP client is made of (`Check failed: end > addr`, Node 24.21). Unfreed, it is a few megabytes.
    execArgv: ["--no-wasm-code-gc"],
    projects: [
      {
        extends: true,
        test: {
          name: "unit",
          include: ["packages/**/test/**/*.test.ts", "examples/*/test/**/*.test.ts", "scripts/**/*.test.ts"],
          testTimeout: 30_000,
        },
      },
      {
        extends: true,
        test: {
          name: "types",
          include: [],
          typecheck: { enabled: true, only: true, include: ["packages/**/test/**/*.test-d.ts"], tsconfig: "./tsconfig.json" },
        },
      },
      // The same tests again, while something goes wrong always and everywhere.
      ...MODES.map((mode) => ({
        extends: true as const,
        plugins: [resolveInMode()],
        test: {
          name: `mode:${mode}`,
          include: [...filesIn(mode)],
          runner: "./packages/saga-testing/test/modes/mode-runner.ts",
          env: { BACKSTEP_MODE: mode, BACKSTEP_RUNS: String(Number(process.env["BACKSTEP_RUNS"] ?? 1) * RUNS_IN_A_MODE) },
          testTimeout: 30_000,
        },
      })),
    ],
  },
});
