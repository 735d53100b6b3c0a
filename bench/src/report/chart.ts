/**
 * The chart of a run, as SVG by hand: a panel per way, a group of bars per contender, a bar per number of sagas in flight, on a logarithmic scale, for the figures lie three
 * powers of ten apart. Durable contenders only. Its colours follow the reader's scheme, light or dark, on a ground of its own.
 */
import { WAYS, type Way } from "../contender.ts";
import { ENTRANTS, type Entrant } from "../contenders.ts";
import { type Results, rateOf } from "../results.ts";

const BAR = 11;
const BAR_GAP = 2;
const GROUP_GAP = 13;
const LABELS_WIDTH = 232;
const PANEL_WIDTH = 330;
const PANEL_GAP = 54;
const HEAD = 92;
const FOOT = 34;

const TITLES: Readonly<Record<Way, string>> = { happy: "seven steps succeed", failing: "seventh rejected, four undos" };

const STYLE = `
  text { font: 12px system-ui, -apple-system, "Segoe UI", Helvetica, Arial, sans-serif; fill: #1f2328; }
  .ground { fill: #ffffff; stroke: #d1d9e0; }
  .title { font-size: 15px; font-weight: 600; }
  .panel { font-weight: 600; }
  .quiet, .axis { fill: #59636e; }
  .own { font-weight: 700; }
  .value { font-size: 10.5px; fill: #59636e; stroke: #ffffff; stroke-width: 3px; paint-order: stroke; }
  .line { stroke: #d1d9e0; }
  .other0 { fill: #b6bfc9; } .other1 { fill: #8c959f; } .other2 { fill: #6e7781; }
  .ceiling0 { fill: #d8dee4; } .ceiling1 { fill: #c4ccd4; } .ceiling2 { fill: #afb8c1; }
  .own0 { fill: #7cb8ff; } .own1 { fill: #3d8bfd; } .own2 { fill: #0a58ca; }
  @media (prefers-color-scheme: dark) {
    text { fill: #f0f6fc; }
    .ground { fill: #0d1117; stroke: #3d444d; }
    .quiet, .axis, .value { fill: #9198a1; }
    .value { stroke: #0d1117; }
    .line { stroke: #30363d; }
    .other0 { fill: #59626d; } .other1 { fill: #7d8590; } .other2 { fill: #a2abb5; }
    .ceiling0 { fill: #2f363d; } .ceiling1 { fill: #3d454e; } .ceiling2 { fill: #4c555f; }
    .own0 { fill: #1f5fbf; } .own1 { fill: #3d8bfd; } .own2 { fill: #8fc2ff; }
  }`;

interface Scale {
  readonly x: (value: number) => number;
  readonly ticks: readonly number[];
}

export function chartOf(results: Results): string {
  const entrants = ENTRANTS.filter(
    ({ name, durable }) => durable !== undefined && results.contenders.includes(name) && !(name in results.absent),
  );
  const groupHeight = results.concurrencies.length * (BAR + BAR_GAP) + GROUP_GAP;
  const width = LABELS_WIDTH + WAYS.length * (PANEL_WIDTH + PANEL_GAP) + 24;
  const height = HEAD + entrants.length * groupHeight + FOOT;
  const scale = scaleOf(results, entrants);
  const bottom = HEAD + entrants.length * groupHeight;
  const parts = [
    `<rect class="ground" x="0.5" y="0.5" width="${width - 1}" height="${height - 1}" rx="8"/>`,
    `<text class="title" x="20" y="28">Durable sagas per second</text>`,
    `<text class="quiet" x="20" y="47">median of ${results.rounds}; logarithmic scale; longer is better; ${escaped(results.machine.processor)}, ${results.machine.processors} cores</text>`,
    ...legend(results, width),
    ...entrants.map((entrant, index) => groupLabel(entrant, HEAD + index * groupHeight + (groupHeight - GROUP_GAP) / 2)),
    ...WAYS.map((way, panel) => {
      const left = LABELS_WIDTH + panel * (PANEL_WIDTH + PANEL_GAP);
      const groups = entrants.map((entrant, index) => bars(results, entrant, way, scale, HEAD + index * groupHeight));
      return `<g transform="translate(${left} 0)">${[axis(scale, bottom), ...groups, panelTitle(way)].join("\n")}</g>`;
    }),
  ];
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-label="Durable sagas per second, by contender and number in flight">
<style>${STYLE}
</style>
${parts.join("\n")}
</svg>
`;
}

/** Whole powers of ten around all figures. */
function scaleOf(results: Results, entrants: readonly Entrant[]): Scale {
  const rates = WAYS.flatMap((way) =>
    entrants.flatMap(({ name }) =>
      results.concurrencies.map((concurrency) => rateOf(results, { contender: name, way, concurrency })?.median ?? 0),
    ),
  ).filter((rate) => rate > 0);
  const from = Math.floor(Math.log10(Math.min(10, ...rates)));
  const to = Math.max(from + 1, Math.ceil(Math.log10(Math.max(10, ...rates))));
  return {
    x: (value) => ((Math.log10(value) - from) / (to - from)) * PANEL_WIDTH,
    ticks: Array.from({ length: to - from + 1 }, (_, index) => 10 ** (from + index)),
  };
}

function axis({ x, ticks }: Scale, bottom: number): string {
  return ticks
    .map((tick) => {
      const line = `<line class="line" x1="${round(x(tick))}" x2="${round(x(tick))}" y1="${HEAD - 8}" y2="${bottom - 4}"/>`;
      return `${line}<text class="axis" text-anchor="middle" x="${round(x(tick))}" y="${bottom + 14}">${tick.toLocaleString("en-US")}</text>`;
    })
    .join("");
}

function panelTitle(way: Way): string {
  return `<text class="panel" x="0" y="${HEAD - 18}">${TITLES[way]}</text>`;
}

function groupLabel({ label, name }: Entrant, middle: number): string {
  const style = colourOf(name) === "own" ? ` class="own"` : colourOf(name) === "ceiling" ? ` class="quiet"` : "";
  return `<text${style} text-anchor="end" x="${LABELS_WIDTH - 12}" y="${round(middle + 4)}">${escaped(label)}</text>`;
}

function bars(results: Results, { name }: Entrant, way: Way, { x }: Scale, top: number): string {
  return results.concurrencies
    .map((concurrency, index) => {
      const rate = rateOf(results, { contender: name, way, concurrency });
      if (rate === undefined) return "";
      const y = top + index * (BAR + BAR_GAP);
      const length = Math.max(1, x(rate.median));
      const shade = Math.min(2, index);
      const value = `<text class="value" x="${round(length + 5)}" y="${y + BAR - 2}">${valueText(rate.median)}</text>`;
      return `<rect class="${colourOf(name)}${shade}" x="0" y="${y}" width="${round(length)}" height="${BAR}" rx="1.5"/>${value}`;
    })
    .join("");
}

function legend({ concurrencies }: Results, width: number): readonly string[] {
  return concurrencies.map((concurrency, index) => {
    const x = width - 24 - (concurrencies.length - index) * 104;
    const swatch = `<rect class="own${Math.min(2, index)}" x="${x}" y="18" width="12" height="12" rx="2"/>`;
    return `${swatch}<text x="${x + 18}" y="28">${concurrency.toLocaleString("en-US")} at a time</text>`;
  });
}

function colourOf(name: string): "own" | "ceiling" | "other" {
  if (name.startsWith("backstep")) return "own";
  return name.startsWith("ceiling") ? "ceiling" : "other";
}

function valueText(value: number): string {
  return value >= 10 ? Math.round(value).toLocaleString("en-US") : value.toFixed(1);
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}
