/** The line that a step prints: fixed columns, so that lines can be read down and searched. */

/** What the line shows of a step. */
export interface StepLine {
  readonly step: number;
  /** Mean over the step's units. */
  readonly loss: number;
  /** Multiplier of every learning rate. */
  readonly lrm: number;
  readonly ms: number;
  readonly skipped?: true;
}

/** The rate and the time left follow from this many steps before. */
const WINDOW = 50;

/**
 * @param records steps up to now, the last one being shown  @param steps of the whole run
 * @param tokens of one step
 */
export function renderStep(records: readonly StepLine[], steps: number, tokens: number): string {
  const record = records.at(-1) as StepLine;
  const { step, loss, lrm, skipped } = record;
  const width = String(steps).length < 5 ? 5 : String(steps).length;
  const done = `${pad(step, width)}/${pad(steps, width)} (${((100 * step) / steps).toFixed(1)}%)`;
  const ms = medianMs(records);
  const columns = [
    `step ${done}`,
    `loss ${loss.toFixed(4)}${skipped ? " skipped" : ""}`,
    `lrm ${lrm.toFixed(2)}`,
    `${ms.toFixed(0)} ms`,
    `${Math.round((1000 * tokens) / ms).toLocaleString("en-US")} tok/s`,
    `eta ${renderEta(((steps - step) * ms) / 1000)}`,
  ];
  return columns.join(" | ");
}

/** Of the last steps; the median, since a pause of the machine says nothing of the next step. */
function medianMs(records: readonly StepLine[]): number {
  const times = records.slice(-WINDOW).map(({ ms }) => ms);
  return times.sort((a, b) => a - b)[times.length >> 1] as number;
}

function pad(count: number, width: number): string {
  return String(count).padStart(width, "0");
}

function renderEta(seconds: number): string {
  if (seconds < 60) return `${Math.ceil(seconds)}s`;
  return seconds < 3600 ? `${(seconds / 60).toFixed(1)}m` : `${(seconds / 3600).toFixed(1)}h`;
}
