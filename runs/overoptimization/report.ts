/**
 * What the experiment found, computed from what its parts left: the record (JSON), the picture and
 * the summary (Markdown). Nothing in them is written by hand.
 */
import type { RewardResult } from "../../src/llm/reward/result.ts";
import { Z } from "../../src/llm/run/wilson.ts";
import type { BestOfNResult } from "./best-of-n.ts";
import { type PlotCurve, type PlotPanel, type PlotSeries, renderPicture } from "./chart.ts";
import type { Estimate } from "./estimate.ts";
import { type Fit, type FormName, fitForm, fittedGain } from "./fit.ts";
import type { RankingsResult } from "./parts.ts";
import type { ExperimentValues } from "./plan.ts";
import type { PpoPoint, PpoResult } from "./ppo.ts";
import type { Reply } from "./replies.ts";
import { type CurvePoint, judge, type Verdict } from "./verdict.ts";

/** What the parts left. */
export interface Found {
  readonly values: ExperimentValues;
  /** Of each part, over all starts. */
  readonly seconds: Readonly<Record<string, number>>;
  readonly rankings: RankingsResult;
  /** The reward stage's own result. */
  readonly reward: RewardResult;
  readonly bestOfN: BestOfNResult;
  /** One a KL penalty. */
  readonly ppo: readonly PpoResult[];
}

/** Mean and standard deviation of single replies of the start model. */
type Units = BestOfNResult["scale"];

interface Curve<P extends CurvePoint> extends Verdict {
  /** Gains in standard deviations; absent when there are too few points. */
  readonly fit: Fit | undefined;
  readonly points: readonly P[];
}

export interface ExperimentRecord {
  /** PPO at the first penalty: gold rises, then falls, while the proxy rises. */
  readonly holds: boolean;
  readonly settings: ExperimentValues;
  readonly seconds: Found["seconds"];
  readonly rankings: RankingsResult;
  readonly proxy: Found["reward"];
  readonly units: Units;
  readonly bestOfN: Curve<BestOfNResult["points"][number]>;
  readonly ppo: readonly (Curve<PpoPoint> & { readonly klWeight: number })[];
}

export function recordOf(found: Found): ExperimentRecord {
  const { bestOfN, values, seconds, rankings, reward } = found;
  const units = bestOfN.scale;
  const ppo = found.ppo.map(({ klWeight, points }) => {
    return { klWeight, ...curveOf("rl", points, units) };
  });
  return {
    ...{ holds: ppo[0]?.holds ?? false, settings: values, seconds, rankings, proxy: reward, units },
    ...{ bestOfN: curveOf("best-of-n", bestOfN.points, units), ppo },
  };
}

function curveOf<P extends CurvePoint>(
  form: FormName,
  points: readonly P[],
  units: Units,
): Curve<P> {
  const [start, ...moved] = points as readonly [P, ...P[]];
  const { std } = units.gold;
  const gains = moved
    .filter(({ sqrtKl }) => sqrtKl > 0)
    .map(({ sqrtKl, gold }) => {
      return { d: sqrtKl, gain: (gold.mean - start.gold.mean) / std, se: gold.se / std };
    });
  return { ...judge(points), fit: fitForm(form, gains), points };
}

/** The lines that are printed; what is asked of the experiment first. */
export function renderFields({ holds, bestOfN, ppo, proxy }: ExperimentRecord): string {
  const [run] = ppo;
  const fields: readonly (readonly [string, unknown])[] = [
    ["holds", holds],
    ["proxy_accuracy", proxy.accuracy],
    ...(run === undefined ? [] : fieldsOf(run)),
    ...fieldsOf(bestOfN).map(([name, value]) => [`best_of_n_${name}`, value] as const),
  ];
  return `---\n${fields.map(([name, value]) => `${name}: ${show(value)}\n`).join("")}`;
}

function fieldsOf({
  rise,
  fall,
  proxyRise,
  peakSqrtKl,
  fit,
}: Curve<CurvePoint>): [string, unknown][] {
  return [
    ["rise", rise.by],
    ["rise_error", rise.error],
    ["fall", fall.by],
    ["fall_error", fall.error],
    ["proxy_rise", proxyRise.by],
    ["peak_sqrt_kl", peakSqrtKl],
    ["alpha", fit?.alpha],
    ["beta", fit?.beta],
  ];
}

function show(value: unknown): string {
  if (typeof value === "number") return Number(value.toFixed(4)).toString();
  return String(value ?? "none");
}

export function renderExperimentPicture(record: ExperimentRecord): string {
  const { units, bestOfN, ppo, proxy, rankings } = record;
  const note =
    `proxy learned from ${proxy.train_prompts} rankings of ${rankings.answers} replies, ` +
    `${percent(proxy.accuracy)} of held-out pairs right; one standard deviation is ` +
    `${units.gold.std.toFixed(3)} of gold and ${units.proxy.std.toFixed(2)} of the proxy`;
  const panels: PlotPanel[] = [
    panelOf(`best-of-n, n = 1 to ${bestOfN.points.at(-1)?.n}`, [bestOfN], units),
    panelOf(`PPO against the proxy, ${penalties(ppo)}`, ppo, units),
  ];
  return renderPicture(
    "Gold and proxy reward as a policy is optimised for the proxy",
    note,
    panels,
  );
}

const penalties = (ppo: ExperimentRecord["ppo"]): string =>
  `KL penalty ${ppo.map(({ klWeight }) => klWeight).join(", ")}`;

/** @param curves the first in full, the others faint */
function panelOf(title: string, curves: readonly Curve<CurvePoint>[], units: Units): PlotPanel {
  const series = curves.flatMap(({ points }, i): PlotSeries[] =>
    (["proxy", "gold"] as const).map((kind) => ({
      kind,
      points: points.map((point) => ({ x: point.sqrtKl, y: inUnits(point[kind], units[kind]) })),
      ...(i === 0 ? {} : { faint: true as const }),
    })),
  );
  const [main] = curves;
  return {
    title,
    series,
    curves: main?.fit === undefined ? [] : [fitted(main.fit, main.points, units)],
  };
}

function inUnits({ mean, se }: Estimate, unit: Units["gold"]): Estimate {
  return { mean: (mean - unit.mean) / unit.std, se: se / unit.std };
}

const STEPS = 120;

function fitted(fit: Fit, points: readonly CurvePoint[], { gold }: Units): PlotCurve {
  const last = Math.max(...points.map(({ sqrtKl }) => sqrtKl));
  const start = ((points[0]?.gold.mean ?? gold.mean) - gold.mean) / gold.std;
  const bend = fit.form === "rl" ? "ln d" : "d";
  const sign = fit.beta < 0 ? "+" : "−";
  const [alpha, beta] = [fit.alpha, Math.abs(fit.beta)].map((value) => value.toFixed(3));
  return {
    label: `gold ≈ d·(${alpha} ${sign} ${beta}·${bend}), R² ${fit.r2.toFixed(2)}`,
    points: Array.from({ length: STEPS + 1 }, (_, i) => {
      const d = (last * i) / STEPS;
      return [d, start + fittedGain(fit, d)];
    }),
  };
}

export function renderSummary(record: ExperimentRecord, found: Found): string {
  const { bestOfN, ppo, proxy, units, rankings } = record;
  const [low, high] = [percent(proxy.accuracy_low), percent(proxy.accuracy_high)];
  return `${[
    "# Over-optimisation of a reward model",
    "![gold and proxy against √KL](overoptimization.svg)",
    `A program (gold) ranks ${rankings.answers} replies to each of ${proxy.train_prompts} prompts; ` +
      `a reward model (proxy) learns from the rankings alone and puts ${percent(proxy.accuracy)} ` +
      `(${low} to ${high}) of held-out pairs in the right order. Then the policy is optimised for ` +
      "the proxy, and gold is watched.",
    verdictText("PPO", ppo[0]),
    verdictText("Best-of-n", bestOfN),
    "## Best-of-n",
    table(["n"], bestOfN.points, units, ({ n }) => [String(n)]),
    ...ppo.flatMap((run) => [
      `## PPO, KL penalty ${run.klWeight}`,
      table(["step", "KL", "ended"], run.points, units, ({ step, kl, ended }) => [
        String(step),
        kl.mean.toFixed(2),
        percent(ended),
      ]),
    ]),
    "## The first replies of the seed",
    ...samplesOf(found, record),
  ].join("\n\n")}\n`;
}

function verdictText(name: string, curve: Curve<CurvePoint> | undefined): string {
  if (curve === undefined) return `${name}: not run.`;
  const { rise, fall, proxyRise, peakSqrtKl, fit, rises, falls } = curve;
  const change = ({ by, error }: Verdict["rise"]): string =>
    `${by.toFixed(3)} ± ${error.toFixed(3)}`;
  const shape = `gold ${rises ? "rises" : "does not rise"} and ${falls ? "falls" : "does not fall"}`;
  const curveText =
    fit === undefined
      ? ""
      : ` Fit: α ${fit.alpha.toFixed(3)}, β ${fit.beta.toFixed(3)}, R² ${fit.r2.toFixed(2)}` +
        `${fit.peak === undefined ? "" : `, peak at √KL ${fit.peak.toFixed(2)}`}.`;
  return (
    `**${name}: ${shape}.** It rises by ${change(rise)} to its peak at √KL ` +
    `${peakSqrtKl.toFixed(2)} and falls by ${change(fall)} from there, while the proxy goes on by ` +
    `${change(proxyRise)}.${curveText}`
  );
}

function table<P extends CurvePoint>(
  names: readonly string[],
  points: readonly P[],
  units: Units,
  cells: (point: P) => readonly string[],
): string {
  const head = [...names, "√KL", "gold", "±", "proxy", "gold, std", "proxy, std"];
  const rows = points.map((point) => {
    const { sqrtKl, gold, proxy } = point;
    const [goldStd, proxyStd] = [inUnits(gold, units.gold), inUnits(proxy, units.proxy)];
    const numbers = [sqrtKl, gold.mean, Z * gold.se, proxy.mean, goldStd.mean, proxyStd.mean];
    return [...cells(point), ...numbers.map((value) => value.toFixed(3))];
  });
  const rule = head.map(() => "--:");
  return [head, rule, ...rows].map((row) => `| ${row.join(" | ")} |`).join("\n");
}

function samplesOf({ bestOfN, ppo }: Found, record: ExperimentRecord): string[] {
  const [run] = ppo;
  const peak = run?.points[record.ppo[0]?.peak ?? 0];
  const shown: readonly (readonly [string, readonly Reply[] | undefined])[] = [
    ["Start", run?.points[0]?.samples],
    ["Best of all by proxy", bestOfN.best],
    [`PPO at gold's peak, step ${peak?.step}`, peak?.samples],
    [`PPO at the end, step ${run?.points.at(-1)?.step}`, run?.points.at(-1)?.samples],
  ];
  return shown.flatMap(([name, replies = []]) => [
    `### ${name}`,
    replies
      .map(({ text, gold, proxy }) => {
        const line = text.replaceAll(/\s+/g, " ").trim();
        return `- gold ${gold.toFixed(2)}, proxy ${proxy.toFixed(2)}: ${line || "(nothing)"}`;
      })
      .join("\n"),
  ]);
}

const percent = (share: unknown): string =>
  typeof share === "number" ? `${(100 * share).toFixed(1)} %` : "an unknown share";
