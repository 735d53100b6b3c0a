/** Sums a sampled profile by function and by file. */
import type { Profiler } from "node:inspector";

export interface Tally {
  /** Of the function itself, in microseconds. */
  readonly itself: ReadonlyMap<string, number>;
  readonly file: ReadonlyMap<string, number>;
  /** With all it calls. */
  readonly inclusive: ReadonlyMap<string, number>;
}

export function tallyOf({ nodes, samples = [], timeDeltas = [] }: Profiler.Profile): Tally {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const parents = new Map(nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id] as const)));
  const itself = new Map<string, number>();
  const file = new Map<string, number>();
  const inclusive = new Map<string, number>();
  for (const [index, sample] of samples.entries()) {
    // What passes until the next sample is this one's.
    const timeUs = timeDeltas[index + 1] ?? 0;
    const node = byId.get(sample);
    if (node === undefined) continue;
    add(itself, functionOf(node), timeUs);
    add(file, fileOf(node), timeUs);
    for (const name of callersOf(sample, byId, parents)) add(inclusive, name, timeUs);
  }
  return { itself, file, inclusive };
}

/** The function and everybody above it, each once, however deep it recurs. */
function callersOf(id: number, byId: ReadonlyMap<number, Profiler.ProfileNode>, parents: ReadonlyMap<number, number>): ReadonlySet<string> {
  const names = new Set<string>();
  for (let at: number | undefined = id; at !== undefined; at = parents.get(at)) {
    const node = byId.get(at);
    if (node !== undefined) names.add(functionOf(node));
  }
  return names;
}

function functionOf(node: Profiler.ProfileNode): string {
  const { functionName, lineNumber } = node.callFrame;
  return `${functionName === "" ? "(anonymous)" : functionName} ${fileOf(node)}:${lineNumber + 1}`;
}

/** From the package on. What has no file is the engine's own, under its own name. */
function fileOf({ callFrame: { url, functionName } }: Profiler.ProfileNode): string {
  return url === "" ? functionName : (url.split(/\/node_modules\/|\/packages\/|\/bench\//).at(-1) ?? url);
}

function add(sums: Map<string, number>, name: string, timeUs: number): void {
  sums.set(name, (sums.get(name) ?? 0) + timeUs);
}
