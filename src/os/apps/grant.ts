/**
 * What an app gets: of the rights that its manifest asks for those that lie within what its person
 * hands over, and of each limit the smaller one. A manifest never widens anything.
 */
import type { Budget } from "../kernel/process.ts";
import { type Capability, narrow } from "../security/capability.ts";
import type { Manifest } from "./manifest.ts";

export interface Granted {
  readonly capabilities: readonly Capability[];
  readonly budget: Budget;
  /** Asked for and not handed over. */
  readonly refused: readonly Capability[];
}

/** @param held the person's own rights and limits for this run */
export function grantTo(
  { devices, budget }: Manifest,
  held: { readonly capabilities: readonly Capability[]; readonly budget?: Budget },
): Granted {
  const { granted, refused } = narrow(devices, held.capabilities);
  return { capabilities: granted, refused, budget: narrowBudget(budget, held.budget ?? {}) };
}

const limits = ["tokens", "microUsd", "calls", "ms", "influenceBits"] as const;

function narrowBudget(asked: Budget, held: Budget): Budget {
  const smaller = limits.flatMap((limit) => {
    const given = [asked[limit], held[limit]].filter((value) => value !== undefined);
    return given.length === 0 ? [] : [[limit, Math.min(...given)] as const];
  });
  return Object.fromEntries(smaller);
}
