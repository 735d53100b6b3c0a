/** How every package is built: ESM with declarations, one entry per door of its exports map. A package's own `tsup.config.ts` only calls this. */
import { readFileSync } from "node:fs";
import { defineConfig } from "tsup";

interface PackageFile {
  readonly exports: Readonly<Record<string, string | { readonly source: string }>>;
}

/**
 * @param root - The way from the package to the repository's root.
 * @param more - Entries that are no doors, such as the file that a thread runs.
 */
export function packageConfig(root: string, more: readonly string[] = []): ReturnType<typeof defineConfig> {
  const { exports } = JSON.parse(readFileSync("package.json", "utf8")) as PackageFile;
  const entry = Object.values(exports).flatMap((door) => (typeof door === "string" ? [] : [door.source.replace("./", "")]));
  return defineConfig({
    entry: [...entry, ...more],
    format: "esm",
    dts: true,
    clean: true,
    target: "node22",
    platform: "node",
    tsconfig: `${root}/tsconfig.build.json`,
    // Otherwise esbuild writes `sqlite` for `node:sqlite`, which Node does not know.
    removeNodeProtocol: false,
  });
}
