/**
 * Who is served next: pure decisions over what waits. Decode goes to whoever was given the fewest
 * tokens, ties to whoever came first; prefill gives every text a lane before any gets a second, the
 * one served last at the end of the line. So everyone who waits is served after a bounded number of
 * runs, whatever comes after him.
 */

/** A text that waits for its next token. */
export interface Waiting {
  /** Tokens it was given, on a scale where newcomers begin with the least of those present. */
  readonly served: number;
  /** Order of arrival. */
  readonly arrived: number;
}

/** Those that the next run of decode takes, at most `most`. */
export function chooseSteps<W extends Waiting>(waiting: readonly W[], most: number): W[] {
  const order = (a: W, b: W): number => a.served - b.served || a.arrived - b.arrived;
  return waiting.toSorted(order).slice(0, most);
}

/** Where someone who comes, or comes back, begins: behind nobody, and ahead of nobody's turn. */
export function enter(served: number, present: readonly Waiting[]): number {
  const least = present.reduce((least, one) => Math.min(least, one.served), Infinity);
  return present.length === 0 ? served : Math.max(served, least);
}

/** Decode runs between two prefill runs while both wait: texts keep flowing as others begin. */
const STEPS_PER_FILL = 2;

/** @param steps decode runs since the last prefill run */
export function nextRun(fills: boolean, waiting: boolean, steps: number): "fill" | "step" {
  if (!fills || !waiting) return fills ? "fill" : "step";
  return steps >= STEPS_PER_FILL ? "fill" : "step";
}

/** Known ids [from, to) of text `job` that one lane computes. */
export interface LanePlan {
  readonly job: number;
  readonly from: number;
  readonly to: number;
}

/**
 * Lanes of `chunk` ids for texts in line, each a lane in turn; a text that has several goes through
 * them in one run. A lane that another one continues ends with a page, so that its padding falls
 * into no page of the text.
 */
export function planLanes(
  backlogs: readonly { readonly from: number; readonly to: number }[],
  lanes: number,
  chunk: number,
  pageLen: number,
): LanePlan[] {
  const plan: LanePlan[] = [];
  const at = backlogs.map(({ from }) => from);
  for (let more = true; more && plan.length < lanes; ) {
    more = false;
    for (const [job, { to }] of backlogs.entries()) {
      const from = at[job] as number;
      if (from >= to || plan.length === lanes) continue;
      const upTo = from + chunk;
      const end = upTo >= to ? to : upTo - (upTo % pageLen);
      plan.push({ job, from, to: end });
      at[job] = end;
      more = true;
    }
  }
  return plan;
}
