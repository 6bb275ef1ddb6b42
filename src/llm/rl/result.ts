/** How a run ended, as one record: printed as lines that can be searched, or as JSON. */

export interface PassRate {
  /** Share of held-out problems that one reply solved, with Wilson's interval of 95 %. */
  readonly value: number;
  readonly low: number;
  readonly high: number;
  readonly n: number;
}

export interface RlResult {
  readonly out: string;
  readonly curve: string;
  /** The user ended it early. */
  readonly stopped: boolean;
  readonly algorithm: string;
  readonly task: string;
  readonly step: number;
  readonly steps: number;
  /** Of the start model; absent when it was never measured. */
  readonly passBefore: PassRate | undefined;
  readonly passAfter: PassRate | undefined;
  /** Mean reward of the first and of the last step's rollouts. */
  readonly rewardFirst: number | undefined;
  readonly rewardLast: number | undefined;
  /** Nats a reply, away from the start model. */
  readonly kl: number | undefined;
  readonly rollouts: number;
  readonly sampledTokens: number;
  readonly updates: number;
  readonly skipped: number;
  readonly seconds: number;
  /** Shares of the wall time. */
  readonly generating: number;
  readonly scoring: number;
  readonly learning: number;
  readonly waiting: number;
}

/** One `key: value` a line after a `---`; values that are absent are left out. */
export function renderResult(result: RlResult): string {
  const lines = Object.entries(result).flatMap(([key, value]) =>
    value === undefined ? [] : [`${key}: ${renderValue(value)}`],
  );
  return `---\n${lines.join("\n")}\n`;
}

function renderValue(value: unknown): string {
  if (typeof value === "number") return String(Number(value.toFixed(4)));
  if (typeof value === "object" && value !== null) return renderPassRate(value as PassRate);
  return String(value);
}

export function renderPassRate({ value, low, high, n }: PassRate): string {
  return `${value.toFixed(3)} [${low.toFixed(3)}, ${high.toFixed(3)}] of ${n}`;
}
