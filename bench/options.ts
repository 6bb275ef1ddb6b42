/** The flags that benches have in common. */
import { inRange, type OptionTableFor } from "../src/options.ts";

export interface RoundValues {
  repeats: number;
  threads: number;
}

/** @param fewest rounds whose median is worth printing @param repeats unless told */
export function roundOptions(repeats: number, fewest: number): OptionTableFor<RoundValues> {
  const check = inRange(fewest, Number.POSITIVE_INFINITY);
  return {
    repeats: {
      ...{ type: "integer", value: repeats, check },
      doc: "Rounds of each contestant; the median counts.",
    },
    threads: {
      ...{ type: "integer", value: 2, check: inRange(1, Number.POSITIVE_INFINITY) },
      doc: "Threads of each contestant.",
    },
  };
}
