/** What the measuring commands print: a small table, under the machine that the figures are of. */
import { cpus, totalmem } from "node:os";

export function machine(): string {
  const [cpu] = cpus();
  const memoryGib = Math.round(totalmem() / 2 ** 30);
  return `${cpus().length} × ${cpu?.model.trim() ?? "unknown processor"}, ${memoryGib} GiB, ${process.platform} ${process.arch}, Node ${process.versions.node}`;
}

/** @param rows - Cells of one width each: the first column to the left, the others to the right. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map((row) =>
      row.map((cell, column) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0))).join("  "),
    )
    .join("\n");
}

export function grouped(value: number): string {
  return Math.round(value).toLocaleString("en-US");
}

export function seconds(durationMs: number): string {
  return `${(durationMs / 1_000).toFixed(2)} s`;
}

export function mebibytes(bytes: number): string {
  return `${Math.round(bytes / 2 ** 20)} MiB`;
}
