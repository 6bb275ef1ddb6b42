/**
 * Presets of a mixture: what share each source gets before temperature and schedule.
 *
 *     as-given  the sources' own weights      natural  by size      uniform  all the same
 *     llama     the shares of the LLaMA paper (Touvron et al. 2023, table 1), whose seven sets are
 *               slots that the sources at hand fill
 */

import type { Domain } from "../sources/source.ts";

export const mixturePresets = ["as-given", "natural", "uniform", "llama"] as const;

export type MixturePreset = (typeof mixturePresets)[number];

/** What a preset needs to know of a source. */
export interface MixtureSource {
  readonly name: string;
  readonly domain: Domain;
  /** As asked; relative to the others. */
  readonly weight: number;
  /** Size of its text. */
  readonly bytes: number;
}

/** One set of the paper: its share in percent and what may stand in for it here. */
interface Slot {
  readonly name: string;
  readonly share: number;
  readonly domains: readonly Domain[];
  /** Names of sources that are this very set, whatever domain they state. */
  readonly names: RegExp;
}

/**
 * Two of the sets are the web. C4 keeps running prose and is for a great part news (Dodge et al.
 * 2021, section 3), so news stands in for it.
 */
const llamaSlots: readonly Slot[] = [
  {
    name: "CommonCrawl",
    share: 67,
    domains: ["web", "other"],
    names: /^(common-?crawl|cc-?net)\b/i,
  },
  { name: "C4", share: 15, domains: ["news"], names: /^c4\b/i },
  { name: "GitHub", share: 4.5, domains: ["code"], names: /^github\b/i },
  { name: "Wikipedia", share: 4.5, domains: ["encyclopedia"], names: /^wikipedia\b/i },
  { name: "books", share: 4.5, domains: ["books"], names: /^(books|gutenberg)\b/i },
  { name: "arXiv", share: 2.5, domains: ["science"], names: /^arxiv\b/i },
  {
    name: "StackExchange",
    share: 2,
    domains: ["forum", "dialogue"],
    names: /^stack-?(exchange|overflow)\b/i,
  },
];

/** A slot of a preset and the sources in it; none: its share went to the other slots. */
export interface FilledSlot {
  readonly name: string;
  /** In percent, as the preset has it. */
  readonly share: number;
  readonly sources: readonly string[];
}

export interface PresetWeights {
  /** One for each source; relative. */
  readonly weights: readonly number[];
  /** Empty for presets without slots. */
  readonly slots: readonly FilledSlot[];
}

/** @returns the weights of `sources` under a preset */
export function applyPreset(
  preset: MixturePreset,
  sources: readonly MixtureSource[],
): PresetWeights {
  return { slots: [], ...rules[preset](sources) };
}

type Rule = (sources: readonly MixtureSource[]) => Partial<PresetWeights> & { weights: number[] };

const rules: Readonly<Record<MixturePreset, Rule>> = {
  "as-given": (sources) => ({ weights: sources.map(({ weight }) => weight) }),
  natural: (sources) => ({ weights: sources.map(({ bytes }) => bytes) }),
  uniform: (sources) => ({ weights: sources.map(({ bytes }) => (bytes > 0 ? 1 : 0)) }),
  llama: fillSlots,
};

/** Sources in one slot share it by size; sources without text get nothing. */
function fillSlots(sources: readonly MixtureSource[]): ReturnType<Rule> {
  const slots = sources.map(slotOf);
  const sizes = new Map<Slot, number>();
  for (const [i, { bytes }] of sources.entries()) {
    const slot = slots[i] as Slot;
    sizes.set(slot, (sizes.get(slot) ?? 0) + bytes);
  }
  const weights = sources.map(({ bytes }, i) => {
    const slot = slots[i] as Slot;
    return bytes === 0 ? 0 : (slot.share * bytes) / (sizes.get(slot) as number);
  });
  const filled = llamaSlots.map((slot) => ({
    name: slot.name,
    share: slot.share,
    sources: sources.filter((_, i) => slots[i] === slot).map(({ name }) => name),
  }));
  return { weights, slots: filled };
}

/** Every domain is in some slot, so every source finds one. */
function slotOf({ name, domain }: MixtureSource): Slot {
  const byName = llamaSlots.find(({ names }) => names.test(name));
  return byName ?? (llamaSlots.find(({ domains }) => domains.includes(domain)) as Slot);
}

/** @returns weights as shares that sum to 1; all 0 stays all 0 */
export function toShares(weights: readonly number[]): number[] {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => (total > 0 ? weight / total : 0));
}

/**
 * p_i ∝ w_i^(1/T): above 1 small sources count more, at infinity all the same; below 1 less.
 * Sources without weight stay without.
 * @param temperature greater than 0
 */
export function withTemperature(weights: readonly number[], temperature: number): number[] {
  const shares = toShares(weights);
  const most = Math.max(...shares);
  // Against the largest, so that nothing overflows at small temperatures.
  return toShares(
    shares.map((share) => (share === 0 ? 0 : Math.exp(Math.log(share / most) / temperature))),
  );
}
