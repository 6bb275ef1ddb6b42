/** Which conversations a run is asked to learn from, and in what proportions. */
import { NutshellError } from "../../error.ts";
import { suggestName } from "../../nearest-name.ts";
import { findConversationSources } from "../tasks/find-conversations.node.ts";
import { BESIDE, findGiven, type GivenKind } from "../tasks/find-given.node.ts";
import { readConversations } from "../tasks/read-conversations.node.ts";
import type { ConversationSource } from "../tasks/source.ts";
import { joinSupplies, type Supply, supplyOfSource, taskSupplies } from "./supply.ts";

export interface SourceQuery {
  /** "builtin", a file or folder of conversations, or absent for all that is at hand. */
  readonly data: string | undefined;
  /** `NAME=WEIGHT,…`; absent = all sources by their own weights. */
  readonly mixture: string | undefined;
  /** Of a conversation that tasks make, at most. */
  readonly exchanges: number;
  /** Of the conversations, where there are tasks and sets. */
  readonly taskShare: number;
}

/** @throws DATA, CONFIG */
export function findSupplies({ data, mixture, exchanges, taskShare }: SourceQuery): Supply[] {
  return joinSupplies(applyMixture(findAll(data, taskShare), mixture), exchanges);
}

function findAll(data: string | undefined, taskShare: number): Supply[] {
  if (data === "builtin") return taskSupplies();
  if (data === undefined) {
    const sets = findConversationSources(BESIDE).map(supplyOfSource);
    const made = taskSupplies();
    if (sets.length === 0) return made;
    return [...shareOut(made, taskShare), ...shareOut(sets, 1 - taskShare)];
  }
  return findGiven(data, conversations).map(supplyOfSource);
}

/** Weights are among tasks or among sets; either kind gets a share of the conversations. */
function shareOut(supplies: readonly Supply[], share: number): Supply[] {
  const all = supplies.reduce((sum, { weight }) => sum + weight, 0);
  return supplies.map((supply) => ({ ...supply, weight: (share * supply.weight) / all }));
}

const conversations: GivenKind<ConversationSource> = {
  plural: "conversations",
  hint: "Check --data.",
  known: findConversationSources,
  open: (path, about) => ({
    ...about,
    weight: 1,
    read: (counts) => readConversations(path, counts),
  }),
};

/** @throws CONFIG for a name that is not there or a weight that is none */
function applyMixture(supplies: readonly Supply[], mixture: string | undefined): Supply[] {
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
