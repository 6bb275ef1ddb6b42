/**
 * Curves of a run as plain SVG: panels one under another over the same axis of steps. Any browser
 * shows it; it scales and needs no script.
 */

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Line {
  readonly points: readonly Point[];
  readonly color: string;
  readonly width: number;
  /** At the line's end. */
  readonly label?: string;
  /** In the panel's legend. */
  readonly name?: string;
  /** Marks every point. */
  readonly dots?: boolean;
}

export interface Series {
  readonly name: string;
  readonly points: readonly Point[];
}

/** Pixels; the margins hold the numbers of the axes. */
const [WIDTH, PANEL, LEFT, RIGHT, TOP, GAP] = [800, 230, 64, 120, 62, 56] as const;
/** What a page in the dark has to replace: paper, text, the numbers behind a mean, rules. */
export const PAPER = "#ffffff";
export const INK = "#1f2328";
export const FAINT = "#9ec5e8";
export const GRID = "#d8dee4";
export const BLUE = "#1f6feb";
export const RED = "#cf222e";
/** Lines of one panel, in order. */
export const SERIES: readonly string[] = [BLUE, RED, "#1a7f37", "#9a6700", "#8250df"];
const MOST_POINTS = 800;
/** A series with fewer points shows each of them. */
const FEW_POINTS = 60;
/** Pixels: a line of text, and a letter about. */
const [LINE, LETTER] = [14, 6.5] as const;

export interface Panel {
  readonly name: string;
  readonly lines: readonly Line[];
}

/** @param title one line above the panels  @param xLabel under the last of them */
export function renderChart(title: string, panels: readonly Panel[], xLabel = "step"): string {
  const points = panels.flatMap(({ lines }) => lines.flatMap((line) => line.points));
  const lastX = points.reduce((most, { x }) => Math.max(most, x), 0) || 1;
  const top = (i: number): number => TOP + i * (PANEL + GAP);
  const height = top(panels.length) - GAP + 48;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" ` +
      `width="${WIDTH}" height="${height}" font-family="sans-serif" font-size="12">`,
    `<title>${escapeText(title)}</title>`,
    `<rect width="100%" height="100%" fill="${PAPER}"/>`,
    text(LEFT, 22, title, `font-size="15" font-weight="bold"`),
    ...panels.map(({ name, lines }, i) => panel(name, top(i), lastX, lines)),
    text(LEFT + plotWidth / 2, height - 8, xLabel, `text-anchor="middle"`),
    "</svg>\n",
  ].join("\n");
}

/** A noisy series: the numbers themselves, faint, and their running mean with its last value. */
export function noisyLines(points: readonly Point[], color: string = BLUE): Line[] {
  const taken = thin(points.filter(({ y }) => Number.isFinite(y)));
  const smooth = smoothed(taken);
  return [
    { points: taken, color: FAINT, width: 1 },
    { points: smooth, color, width: 2, label: lastValue(smooth) },
  ];
}

/** A few measured points, marked, with the last value. */
export function measuredLine(points: readonly Point[], color: string = RED, name = ""): Line {
  const label = [name, lastValue(points)].filter((word) => word !== "").join(" ");
  return { points, color, width: 2, label, dots: true };
}

/** Several series over each other, in colours that the panel's legend names. */
export function namedLines(series: readonly Series[]): Line[] {
  return series.map(({ name, points }, i) => {
    const color = SERIES[i % SERIES.length] as string;
    const finite = points.filter(({ y }) => Number.isFinite(y));
    const few = finite.length < FEW_POINTS;
    const shown = few ? finite : smoothed(thin(finite));
    return { points: shown, color, width: 2, label: lastValue(shown), name, dots: few };
  });
}

const plotWidth = WIDTH - LEFT - RIGHT;

function panel(name: string, top: number, lastStep: number, lines: readonly Line[]): string {
  const values = lines.flatMap(({ points }) => points.map(({ y }) => y));
  const ticksY = ticks(Math.min(...values, Infinity), Math.max(...values, -Infinity), 5);
  const [low, high] = [ticksY[0] ?? 0, ticksY.at(-1) ?? 1];
  const x = (step: number): number => LEFT + (plotWidth * step) / lastStep;
  const y = (value: number): number => top + PANEL * (1 - (value - low) / (high - low || 1));
  const rows = ticksY.map((value) => {
    const at = y(value);
    const label = text(LEFT - 8, at + 4, formatTick(value), `text-anchor="end"`);
    return `${rule(LEFT, at, LEFT + plotWidth, at)}${label}`;
  });
  const columns = ticks(0, lastStep, 8)
    .filter((step) => step <= lastStep && Number.isInteger(step))
    .map((step) => {
      const label = text(x(step), top + PANEL + 16, String(step), `text-anchor="middle"`);
      return `${rule(x(step), top, x(step), top + PANEL)}${label}`;
    });
  const drawn = lines.map((line) => drawLine(line, x, y));
  const labels = drawLabels(lines, x, y);
  const title = text(LEFT, top - 8, name, "");
  return [...rows, ...columns, title, ...legend(top - 8, lines), ...drawn, ...labels].join("\n");
}

/** Names of the lines, from the right. */
function legend(at: number, lines: readonly Line[]): string[] {
  let right = LEFT + plotWidth;
  return lines.toReversed().flatMap(({ name, color }) => {
    if (name === undefined) return [];
    const start = right - name.length * LETTER;
    right = start - 2 * LINE;
    const swatch =
      `<line x1="${(start - LINE).toFixed(1)}" y1="${at - 4}" x2="${(start - 4).toFixed(1)}" ` +
      `y2="${at - 4}" stroke="${color}" stroke-width="3"/>`;
    return [swatch, text(start, at, name, `fill="${color}"`)];
  });
}

/** What stands at the lines' ends, moved down where two would overlap. */
function drawLabels(
  lines: readonly Line[],
  x: (x: number) => number,
  y: (y: number) => number,
): string[] {
  const ends = lines.flatMap(({ points, label, color }) => {
    const end = points.at(-1);
    return label === undefined || end === undefined
      ? []
      : [{ x: x(end.x) + 8, y: y(end.y) + 4, label, color }];
  });
  let free = Number.NEGATIVE_INFINITY;
  return ends
    .sort((a, b) => a.y - b.y)
    .map((end) => {
      const at = Math.max(end.y, free);
      free = at + LINE;
      return text(end.x, at, end.label, `fill="${end.color}"`);
    });
}

function drawLine(line: Line, x: (x: number) => number, y: (y: number) => number): string {
  const { points, color, width, dots } = line;
  const places = points.map((point) => [x(point.x).toFixed(1), y(point.y).toFixed(1)] as const);
  const path = places.map((place) => place.join(",")).join(" ");
  const parts = [
    `<polyline points="${path}" fill="none" stroke="${color}" stroke-width="${width}" ` +
      `stroke-linejoin="round"/>`,
  ];
  for (const [cx, cy] of dots ? places : [])
    parts.push(`<circle cx="${cx}" cy="${cy}" r="3" fill="${color}"/>`);
  return parts.join("\n");
}

/** Round numbers that cover [low, high], about `count` of them. */
function ticks(low: number, high: number, count: number): number[] {
  if (!(high > low)) return Number.isFinite(low) ? [low - 1, low, low + 1] : [0, 1];
  const raw = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = power * ([1, 2, 5, 10].find((factor) => factor * power >= raw) as number);
  const first = Math.floor(low / step);
  const last = Math.ceil(high / step - 1e-9);
  return Array.from({ length: last - first + 1 }, (_, i) => (first + i) * step);
}

function formatTick(value: number): string {
  return Number(value.toPrecision(6)).toString();
}

/** Exponential mean over about a fiftieth of the run, started without bias. */
function smoothed(points: readonly Point[]): Point[] {
  const keep = 1 - 1 / Math.max(1, points.length / 50);
  let [sum, weight] = [0, 0];
  return points.map(({ x, y }) => {
    sum = keep * sum + y;
    weight = keep * weight + 1;
    return { x, y: sum / weight };
  });
}

/** Means of equal stretches: a picture has only so many columns. */
function thin(points: readonly Point[]): Point[] {
  const size = Math.ceil(points.length / MOST_POINTS);
  if (size <= 1) return [...points];
  return Array.from({ length: Math.ceil(points.length / size) }, (_, i) => {
    const part = points.slice(i * size, (i + 1) * size);
    return {
      x: (part.at(-1) as Point).x,
      y: part.reduce((sum, { y }) => sum + y, 0) / part.length,
    };
  });
}

function lastValue(points: readonly Point[]): string {
  return points.at(-1)?.y.toFixed(3) ?? "";
}

function rule(x1: number, y1: number, x2: number, y2: number): string {
  const [a, b, c, d] = [x1, y1, x2, y2].map((at) => at.toFixed(1));
  return `<line x1="${a}" y1="${b}" x2="${c}" y2="${d}" stroke="${GRID}"/>`;
}

function text(x: number, y: number, body: string, attributes: string): string {
  const fill = attributes.includes("fill=") ? "" : ` fill="${INK}"`;
  const place = `x="${x.toFixed(1)}" y="${y.toFixed(1)}"`;
  return `<text ${place}${fill} ${attributes}>${escapeText(body)}</text>`;
}

/** For the body of an element. */
export function escapeText(body: string): string {
  return body.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}
