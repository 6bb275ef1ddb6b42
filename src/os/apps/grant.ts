/**
 * What an app gets: of the rights that its manifest asks for those that lie within what its person
 * hands over, and of each limit the person's, where there is one. A manifest never widens anything: of bits that others
 * may steer it can only allow itself fewer than everybody.
 */
import { INFLUENCE_BITS } from "../kernel/gates/policy.ts";
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
  return {
    capabilities: granted,
    refused,
    budget: { ...budget, ...steered(budget), ...held.budget },
  };
}

function steered({ influenceBits: bits }: Budget): Budget {
  return bits === undefined ? {} : { influenceBits: Math.min(bits, INFLUENCE_BITS) };
}
