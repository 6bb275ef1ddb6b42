/** A plan as text: what it costs, the published run it compares with, and what was assumed. */
import { fittedParams, lossFits } from "./chinchilla.ts";
import type { Precision } from "./memory.ts";
import type { Comparison, Plan } from "./plan.ts";

const LABEL = 15;

const stateOf: Readonly<Record<Precision, string>> = {
  bf16: "16 bytes: bf16 weight and gradient, f32 master, two f32 moments",
  f32: "16 bytes: f32 weight and gradient, two f32 moments of AdamW",
};

/** @returns lines that end in "\n", at most 100 columns */
export function renderPlan(plan: Plan): string {
  const published = plan.published ? ["", ...comparison(plan, plan.published)] : [];
  return [...costs(plan), ...published, "", ...assumptions(plan), ""].join("\n");
}

function costs(plan: Plan): string[] {
  const { files } = plan;
  const ratio = `${(plan.tokens / plan.params).toFixed(1)} per parameter`;
  const attention = `${amount((100 * plan.attentionFlops) / plan.flops)} %`;
  const small = `${bytes(files.int8)} int8, ${bytes(files.int4)} int4`;
  return [
    row("parameters", parameters(plan)),
    row("tokens", `${count(plan.tokens)}, ${ratio}`),
    row("training", `${exponent(plan.flops)} FLOPs; attention adds ${attention}`),
    row("time", `${whole(plan.gpuHours)} ${plan.machine.name} hours${clock(plan)}`),
    row("money", dollars(plan.usd)),
    row("file", `${bytes(files.bf16)} fp16 or bf16, ${small}`),
    row("memory", `${bytes(plan.memory.total)} to train, activations not counted; ${fits(plan)}`),
    row("loss", `${plan.loss.toFixed(2)} nats per token predicted`),
    row("best split", bestSplit(plan)),
  ];
}

function comparison(plan: Plan, { run, impliedMfu, impliedUsdPerHour }: Comparison): string[] {
  const line = (label: string, ours: string, theirs: string, note: string): string =>
    `${row(label, ours.padEnd(18) + theirs.padEnd(18))}${note}`.trimEnd();
  const { machine } = plan;
  const lines = [
    line("", "this plan", run.name, "plan / published"),
    line(
      "GPU hours",
      whole(plan.gpuHours),
      whole(run.gpuHours),
      times(plan.gpuHours, run.gpuHours),
    ),
    line("MFU", `${machine.mfu.toFixed(3)} assumed`, `${impliedMfu.toFixed(3)} implied`, ""),
  ];
  if (run.usd !== undefined && impliedUsdPerHour !== undefined) {
    const price = `$${impliedUsdPerHour.toFixed(2)} implied`;
    lines.push(
      line("money", dollars(plan.usd), `about ${dollars(run.usd)}`, times(plan.usd, run.usd)),
    );
    lines.push(line("a GPU hour", `$${machine.usdPerHour.toFixed(2)} assumed`, price, ""));
  }
  if (run.fileBytes !== undefined) {
    const { bf16 } = plan.files;
    lines.push(line("file, bf16", bytes(bf16), bytes(run.fileBytes), times(bf16, run.fileBytes)));
  }
  return lines;
}

function assumptions(plan: Plan): string[] {
  const { machine, params, precision, sequenceLen } = plan;
  const outside = params < fittedParams.min || params > fittedParams.max;
  const range = `${count(fittedParams.min)} to ${count(fittedParams.max)} parameters`;
  const price = machine.usdPerHour.toFixed(2);
  return [
    "Assumed:",
    row("  FLOPs", "6 x parameters x tokens; the hours follow from these"),
    row("  attention", `${whole(sequenceLen)} tokens of context, every key counted, usual shape`),
    row("  peak", `${scaled(machine.peakFlopsPerSecond, RATES)}: ${machine.peakSource}`),
    row("  MFU", `${machine.mfu}: ${machine.mfuSource}`),
    row("  price", `$${price} an hour: ${machine.priceSource}`),
    row("  memory", `a parameter takes ${stateOf[precision]}`),
    row("  loss", lossFits[plan.fit].source),
    ...(outside ? [row("", `fitted on ${range}: this is an extrapolation`)] : []),
  ];
}

function row(label: string, text: string): string {
  return `${label.padEnd(LABEL)}${text}`;
}

function parameters({ params, storedParams }: Plan): string {
  if (storedParams === params) return count(params);
  return `${count(params)} in matrices and head, ${count(storedParams)} in all`;
}

function bestSplit({ params, optimal }: Plan): string {
  if (Math.abs(params / optimal.params - 1) < 0.01) return "this one, for these FLOPs";
  const split = `${count(optimal.params)} parameters, ${count(optimal.tokens)} tokens`;
  return `${split} for these FLOPs, loss ${optimal.loss.toFixed(2)}`;
}

/** Time on the clock, where it differs from device hours or is easier to read in days. */
function clock({ gpus, clockHours }: Plan): string {
  const days = clockHours / 24;
  const time = days >= 2 ? `${days.toFixed(1)} days` : `${amount(clockHours)} h`;
  if (gpus > 1) return `: ${time} on ${whole(gpus)}`;
  return days >= 2 && days < 1000 ? ` (${time})` : "";
}

function fits({ minGpus, machine }: Plan): string {
  const size = bytes(machine.memoryBytes);
  return minGpus > 1 ? `${whole(minGpus)} ${machine.name}s of ${size}` : `${size} are enough`;
}

/** Three significant digits, all digits from 100 on. */
function amount(value: number): string {
  return value >= 100 ? String(Math.round(value)) : String(Number(value.toPrecision(3)));
}

function whole(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString("en-US") : amount(value);
}

function exponent(value: number): string {
  return value.toExponential(2).replace("+", "");
}

type Units = readonly (readonly [number, string])[];

const COUNTS: Units = [
  [1e12, " T"],
  [1e9, " B"],
  [1e6, " M"],
  [1e3, " K"],
];
const BYTES: Units = [
  [1e12, " TB"],
  [1e9, " GB"],
  [1e6, " MB"],
  [1e3, " kB"],
  [1, " B"],
];
const DOLLARS: Units = [
  [1e9, " billion"],
  [1e6, " million"],
];
const RATES: Units = [
  [1e12, " TFLOP/s"],
  [1e9, " GFLOP/s"],
];

/** In the largest unit that fits; a value that rounds up to a unit is written in it. */
function scaled(value: number, units: Units): string {
  const unit = units.find(([size]) => value >= size * 0.9995);
  return unit ? `${amount(value / unit[0])}${unit[1]}` : whole(value);
}

function count(value: number): string {
  return scaled(value, COUNTS);
}

function bytes(value: number): string {
  return scaled(value, BYTES);
}

function dollars(value: number): string {
  return `$${scaled(value, DOLLARS)}`;
}

function times(ours: number, theirs: number): string {
  return (ours / theirs).toFixed(2);
}
