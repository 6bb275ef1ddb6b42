/** Which conversations a run is asked to learn from, and in what proportions. */
import { NutshellError } from "../../error.ts";
import { suggestName } from "../../nearest-name.ts";
import { type Supply, taskSupplies } from "./supply.ts";

/**
 * @param data "builtin", a file or folder of conversations, or absent for all that is at hand
 * @param mixture `NAME=WEIGHT,…`; absent = all sources by their own weights
 * @throws DATA, CONFIG
 */
export async function findSupplies(
  data: string | undefined,
  mixture: string | undefined,
): Promise<Supply[]> {
  void data;
  return applyMixture(taskSupplies(), mixture);
}

/** @throws CONFIG for a name that is not there or a weight that is none */
export function applyMixture(supplies: readonly Supply[], mixture: string | undefined): Supply[] {
  if (mixture === undefined) return [...supplies];
  return mixture.split(",").map((part) => {
    const [name = "", weight = "1"] = part.split("=").map((word) => word.trim());
    const supply = supplies.find((found) => found.name === name);
    if (supply === undefined) {
      const names = supplies.map((found) => found.name);
      throw new NutshellError(
        "CONFIG",
        `sft: a mixture names sources that are there, got "${name}". ${suggestName(name, names)}`,
      );
    }
    if (Number(weight) > 0) return { ...supply, weight: Number(weight) };
    throw new NutshellError(
      "CONFIG",
      `sft: a weight of the mixture must be a number greater than 0, got "${part}". ` +
        "Write --mixture NAME=WEIGHT,NAME=WEIGHT.",
    );
  });
}
