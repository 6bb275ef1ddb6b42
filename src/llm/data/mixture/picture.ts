/**
 * The mixture as a picture (SVG): for each source a pale bar for the share asked and a strong one
 * for the share drawn, in one scale. Follows the reader's light or dark scheme; without scripts,
 * fonts or files of others, so that it stands in any page.
 */

import { type EmptySlot, type MixtureRow, percent } from "./mixture-row.ts";

const WIDTH = 760;
const LABEL_WIDTH = 210;
const VALUE_WIDTH = 190;
const BARS_WIDTH = WIDTH - LABEL_WIDTH - VALUE_WIDTH;
const TOP = 74;
const ROW_HEIGHT = 36;
const BAR_HEIGHT = 11;

const style = `
  .paper { fill: #ffffff } .ink { fill: #1f2328 } .quiet { fill: #59636e }
  .line { stroke: #d1d9e0 } .asked { fill: #a9c4ec } .drawn { fill: #1f6feb }
  .empty { fill: none; stroke: #8c959f; stroke-dasharray: 3 3 }
  text { font: 13px system-ui, sans-serif } .title { font-size: 16px; font-weight: 600 }
  .small { font-size: 11px }
  @media (prefers-color-scheme: dark) {
    .paper { fill: #0d1117 } .ink { fill: #e6edf3 } .quiet { fill: #9198a1 }
    .line { stroke: #30363d } .asked { fill: #2f4d75 } .drawn { fill: #58a6ff }
    .empty { stroke: #6e7681 }
  }`;

/** @returns a whole SVG document with a text alternative */
export function renderMixtureSvg(
  rows: readonly MixtureRow[],
  emptySlots: readonly EmptySlot[] = [],
): string {
  const height = TOP + (rows.length + emptySlots.length) * ROW_HEIGHT + 34;
  const shares = [
    ...rows.flatMap(({ requested, realised = 0 }) => [requested, realised]),
    ...emptySlots.map(({ share }) => share / 100),
  ];
  const scale = scaleFor(Math.max(0.01, ...shares));
  const bottom = height - 34;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" ` +
      `height="${height}" role="img" aria-labelledby="mixture-title mixture-text">`,
    '<title id="mixture-title">Mixture: shares asked and realised</title>',
    `<desc id="mixture-text">${rows.map(describe).join("; ")}</desc>`,
    `<style>${style}\n</style>`,
    `<rect class="paper" width="${WIDTH}" height="${height}" rx="6"/>`,
    ...legend(),
    ...grid(scale, bottom),
    ...rows.flatMap((row, i) => bars(row, TOP + i * ROW_HEIGHT, scale)),
    ...emptySlots.flatMap((slot, i) => emptyBar(slot, TOP + (rows.length + i) * ROW_HEIGHT, scale)),
    "</svg>",
    "",
  ].join("\n");
}

/** The right end of the scale and its marks, in shares. */
interface Scale {
  readonly end: number;
  readonly step: number;
}

function scaleFor(most: number): Scale {
  const steps = [0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.25];
  const step = steps.find((size) => most / size <= 5) ?? 0.25;
  return { step, end: step * Math.max(1, Math.ceil(most / step - 1e-9)) };
}

function legend(): string[] {
  return [
    '<text class="ink title" x="20" y="28">The mixture: asked and realised</text>',
    `<rect class="asked" x="${LABEL_WIDTH}" y="40" width="14" height="${BAR_HEIGHT}" rx="2"/>`,
    `<text class="quiet" x="${LABEL_WIDTH + 20}" y="50">asked</text>`,
    `<rect class="drawn" x="${LABEL_WIDTH + 80}" y="40" width="14" height="${BAR_HEIGHT}" rx="2"/>`,
    `<text class="quiet" x="${LABEL_WIDTH + 100}" y="50">realised</text>`,
  ];
}

function grid({ end, step }: Scale, bottom: number): string[] {
  const marks = Array.from({ length: Math.round(end / step) + 1 }, (_, i) => i * step);
  return marks.flatMap((share) => {
    const x = round(LABEL_WIDTH + (share / end) * BARS_WIDTH);
    const label = `${Number((100 * share).toFixed(1))} %`;
    return [
      `<line class="line" x1="${x}" y1="${TOP - 8}" x2="${x}" y2="${bottom}"/>`,
      `<text class="quiet small" x="${x}" y="${bottom + 16}" text-anchor="middle">${label}</text>`,
    ];
  });
}

function bars(row: MixtureRow, y: number, { end }: Scale): string[] {
  const { name, domain, requested, realised, epochs } = row;
  const asked = round((requested / end) * BARS_WIDTH);
  const drawn = round(((realised ?? 0) / end) * BARS_WIDTH);
  const seen = epochs === undefined ? "" : `${epochs.toFixed(2)} epochs`;
  return [
    `<g><title>${describe(row)}</title>`,
    `<text class="ink" x="20" y="${y + 11}">${shortName(name)}</text>`,
    `<text class="quiet small" x="20" y="${y + 24}">${escapeXml(domain)}</text>`,
    `<rect class="asked" x="${LABEL_WIDTH}" y="${y}" width="${asked}" height="${BAR_HEIGHT}" rx="2"/>`,
    `<rect class="drawn" x="${LABEL_WIDTH}" y="${y + BAR_HEIGHT + 1}" width="${drawn}" ` +
      `height="${BAR_HEIGHT}" rx="2"/>`,
    `<text class="ink" x="${WIDTH - 20}" y="${y + 11}" text-anchor="end">` +
      `${percent(requested)} → ${percent(realised)}</text>`,
    `<text class="quiet small" x="${WIDTH - 20}" y="${y + 24}" text-anchor="end">${seen}</text></g>`,
  ];
}

function emptyBar({ name, share }: EmptySlot, y: number, { end }: Scale): string[] {
  const width = round((share / 100 / end) * BARS_WIDTH);
  const asked = percent(share / 100);
  return [
    `<text class="quiet" x="20" y="${y + 11}">${shortName(name)}</text>`,
    `<text class="quiet small" x="20" y="${y + 24}">empty slot</text>`,
    `<rect class="empty" x="${LABEL_WIDTH}" y="${y}" width="${width}" height="${BAR_HEIGHT}" rx="2"/>`,
    `<text class="quiet" x="${WIDTH - 20}" y="${y + 11}" text-anchor="end">${asked} → others</text>`,
  ];
}

function describe({ name, domain, requested, realised }: MixtureRow): string {
  const drawn = realised === undefined ? "" : `, realised ${percent(realised)}`;
  return escapeXml(`${name} (${domain}): asked ${percent(requested)}${drawn}`);
}

/** Names longer than the column end in an ellipsis; the whole name is in the bar's title. */
function shortName(name: string): string {
  const letters = [...name];
  return escapeXml(letters.length > 24 ? `${letters.slice(0, 23).join("")}…` : name);
}

/** Also takes out the control characters that no XML may hold. */
function escapeXml(text: string): string {
  const entities: Readonly<Record<string, string>> = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&quot;",
  };
  return text
    .toWellFormed()
    .replace(/[\p{Cc}\ufffe\uffff]/gu, " ")
    .replace(/[&<>"]/g, (letter) => entities[letter] as string);
}

function round(x: number): number {
  return Math.round(x * 10) / 10;
}
