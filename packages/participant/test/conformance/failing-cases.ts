/** Runs a suite against something broken and tells which rules it broke. */
import type { ConformanceCase } from "@backstep/participant/conformance";

export async function failingCases(cases: readonly ConformanceCase[]): Promise<readonly string[]> {
  const failed: string[] = [];
  for (const { name, run } of cases) {
    // A broken implementation may well never answer; a case that hangs has failed.
    const outcome = await Promise.race([
      run().then(
        () => "kept",
        () => "broken",
      ),
      new Promise<string>((resolve) => setTimeout(resolve, 300, "hangs").unref()),
    ]);
    if (outcome !== "kept") failed.push(name);
  }
  return failed;
}
