/**
 * The picture: two panels beside each other, best-of-n and PPO, gold (solid) and proxy (dashed)
 * against √KL, with 95 % error bars and the fitted curves. Rewards are in standard deviations of
 * the start model's replies above their mean, so that gold and proxy share an axis.
 */
import { BLUE, escapeText, GRID, INK, PAPER, RED } from "../../src/llm/run/chart.ts";
import { Z } from "../../src/llm/run/wilson.ts";
import type { Estimate } from "./estimate.ts";

export interface PlotPoint {
  readonly x: number;
  readonly y: Estimate;
}

export interface PlotSeries {
  readonly kind: "gold" | "proxy";
  readonly points: readonly PlotPoint[];
  /** Where a panel has several curves: not the one to look at first. */
  readonly faint?: true;
}

export interface PlotCurve {
  /** What the fit says, for the legend. */
  readonly label: string;
  readonly points: readonly (readonly [x: number, y: number])[];
}

export interface PlotPanel {
  readonly title: string;
  readonly series: readonly PlotSeries[];
  readonly curves: readonly PlotCurve[];
}

/** Pixels. */
const [WIDTH, HEIGHT, TOP, LEFT, GAP] = [440, 320, 72, 64, 72] as const;
const FOOT = 104;
const FIT = "#9a6700";
const colors = { gold: BLUE, proxy: RED } as const;

/** @param note one line under the title */
export function renderPicture(title: string, note: string, panels: readonly PlotPanel[]): string {
  const width = LEFT + panels.length * (WIDTH + GAP) - GAP + 24;
  const height = TOP + HEIGHT + FOOT;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" ` +
      `width="${width}" height="${height}" font-family="sans-serif" font-size="12">`,
    `<title>${escapeText(title)}</title>`,
    `<rect width="100%" height="100%" fill="${PAPER}"/>`,
    text(LEFT, 22, title, `font-size="15" font-weight="bold"`),
    text(LEFT, 40, note, ""),
    ...panels.map((panel, i) => drawPanel(panel, LEFT + i * (WIDTH + GAP))),
    text(16, TOP + HEIGHT / 2, "reward, standard deviations above the start model", vertical),
    "</svg>\n",
  ].join("\n");
}

const vertical = `text-anchor="middle" transform="rotate(-90 16 ${TOP + HEIGHT / 2})"`;

interface Scale {
  readonly x: (value: number) => number;
  readonly y: (value: number) => number;
}

function drawPanel({ title, series, curves }: PlotPanel, left: number): string {
  const points = series.flatMap((own) => own.points);
  const xs = ticks(0, Math.max(0.1, ...points.map(({ x }) => x)));
  const ys = ticks(
    Math.min(0, ...points.map(({ y }) => y.mean - Z * y.se)),
    Math.max(1, ...points.map(({ y }) => y.mean + Z * y.se)),
  );
  const [lastX, low, high] = [xs.at(-1) ?? 1, ys[0] ?? 0, ys.at(-1) ?? 1];
  const scale: Scale = {
    x: (value) => left + (WIDTH * value) / lastX,
    y: (value) => TOP + HEIGHT * (1 - (value - low) / (high - low)),
  };
  return [
    text(left, TOP - 10, title, `font-weight="bold"`),
    ...xs.map((value) => {
      const at = scale.x(value);
      const label = text(at, TOP + HEIGHT + 16, show(value), `text-anchor="middle"`);
      return `${line(at, TOP, at, TOP + HEIGHT, GRID)}${label}`;
    }),
    ...ys.map((value) => {
      const at = scale.y(value);
      const stroke = value === 0 ? INK : GRID;
      const label = text(left - 8, at + 4, show(value), `text-anchor="end"`);
      return `${line(left, at, left + WIDTH, at, stroke)}${label}`;
    }),
    text(
      left + WIDTH / 2,
      TOP + HEIGHT + 34,
      "√KL from the start model, √nats",
      `text-anchor="middle"`,
    ),
    ...curves.map((curve) => drawCurve(curve, scale)),
    ...series.map((own) => drawSeries(own, scale)),
    ...legend(curves, left),
  ].join("\n");
}

function drawSeries({ kind, points, faint }: PlotSeries, { x, y }: Scale): string {
  const color = colors[kind];
  const dash = kind === "proxy" ? ` stroke-dasharray="6 4"` : "";
  const path = points.map((point) => `${x(point.x).toFixed(1)},${y(point.y.mean).toFixed(1)}`);
  const marks = points.map(({ x: at, y: { mean, se } }) => {
    const [cx, cy] = [x(at).toFixed(1), y(mean).toFixed(1)];
    const bar = line(x(at), y(mean - Z * se), x(at), y(mean + Z * se), color);
    return `${bar}<circle cx="${cx}" cy="${cy}" r="3" fill="${color}"/>`;
  });
  return [
    `<g opacity="${faint ? 0.4 : 1}">`,
    `<polyline points="${path.join(" ")}" fill="none" stroke="${color}" stroke-width="1.5"${dash}/>`,
    ...marks,
    "</g>",
  ].join("");
}

function drawCurve({ points }: PlotCurve, { x, y }: Scale): string {
  const path = points.map(([at, value]) => `${x(at).toFixed(1)},${y(value).toFixed(1)}`);
  return `<polyline points="${path.join(" ")}" fill="none" stroke="${FIT}" stroke-width="3" opacity="0.6"/>`;
}

/** Under the panel: what each kind of line is. */
function legend(curves: readonly PlotCurve[], left: number): string[] {
  const at = TOP + HEIGHT + 58;
  const rows = [
    { color: colors.gold, dash: "", label: "gold: what is wanted, 95 % bars" },
    { color: colors.proxy, dash: ` stroke-dasharray="6 4"`, label: "proxy: what is optimised" },
    ...curves.map(({ label }) => ({ color: FIT, dash: "", label })),
  ];
  return rows.map(({ color, dash, label }, i) => {
    const y = at + 16 * i;
    const swatch = `<line x1="${left}" y1="${y - 4}" x2="${left + 28}" y2="${y - 4}" stroke="${color}" stroke-width="2"${dash}/>`;
    return `${swatch}${text(left + 36, y, label, "")}`;
  });
}

/** Round numbers that cover [low, high], about six of them. */
function ticks(low: number, high: number): number[] {
  const raw = (high - low) / 6;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = power * ([1, 2, 5, 10].find((factor) => factor * power >= raw) as number);
  const first = Math.floor(low / step + 1e-9);
  const last = Math.ceil(high / step - 1e-9);
  return Array.from({ length: last - first + 1 }, (_, i) => (first + i) * step);
}

const show = (value: number): string => Number(value.toPrecision(6)).toString();

function line(x1: number, y1: number, x2: number, y2: number, stroke: string): string {
  const [a, b, c, d] = [x1, y1, x2, y2].map((at) => at.toFixed(1));
  return `<line x1="${a}" y1="${b}" x2="${c}" y2="${d}" stroke="${stroke}"/>`;
}

function text(x: number, y: number, body: string, attributes: string): string {
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" fill="${INK}" ${attributes}>${escapeText(body)}</text>`;
}
