/**
 * Everything that a prepared folder follows from, before any text is read: the sources with the
 * hashes of their parts, the rules, the mixture. One stamp over all of it says whether there is
 * anything to do.
 */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { CLEANING_VERSION, type CleaningRules, cleaningPresets } from "../cleaning/cleaning.ts";
import { readFractions } from "../mixture/budget.ts";
import type { ManifestPart } from "../shards/manifest.ts";
import { findSources } from "../sources/find-sources.node.ts";
import { estimateBytes, hashPart } from "../sources/hash-part.node.ts";
import type { MixtureSettings } from "../sources/mixture-file.ts";
import { listTextFiles } from "../sources/parts.node.ts";
import type { SourceSpec } from "../sources/source.ts";
import type { PrepareConfig } from "./config.ts";

export interface PrepareInputs {
  readonly origin: string;
  readonly sources: readonly SourceSpec[];
  readonly partHashes: ReadonlyMap<string, readonly ManifestPart[]>;
  readonly mixture: MixtureSettings;
  readonly rules: CleaningRules;
  /** Folder of evaluation sets; undefined: none at hand. */
  readonly evals: string | undefined;
  /** Share of each source to read, by name. */
  readonly fractions: ReadonlyMap<string, number>;
  readonly threads: number;
  /** Hash of all that cleaning follows from beside the text. */
  readonly cleaningHash: string;
  readonly stamp: string;
}

const EVALS_BESIDE = fileURLToPath(new URL("../../../../../shared/data/eval", import.meta.url));

/** @throws DATA, CONFIG when sources are missing, unreadable or described wrongly */
export async function gatherInputs(config: PrepareConfig): Promise<PrepareInputs> {
  const { origin, sources, bytes, settings } = await findSources(config.data);
  const evals = evalsOf(config);
  const rules = cleaningPresets[config.clean];
  const fractions = fractionsOf(sources, bytes, config.maxBytes);
  const mixture = { preset: config.mixture, temperature: config.temperature, ...settings };
  const partHashes = await hashParts(sources);
  const shares = [...fractions];
  const cleaningHash = hashOf([CLEANING_VERSION, rules, await hashFolder(evals), shares]);
  const { tokenizer, vocabSize } = config;
  const described = sources.map(({ parts: _, ...rest }) => rest);
  const stamp = hashOf([cleaningHash, tokenizer, vocabSize, mixture, described, [...partHashes]]);
  return {
    ...{ origin, sources, partHashes, mixture, rules, evals, fractions, cleaningHash, stamp },
    threads: config.threads ?? availableParallelism(),
  };
}

/** Nothing is compared with them where nothing is cleaned. */
function evalsOf({ evals, clean }: PrepareConfig): string | undefined {
  if (evals === "off" || !cleaningPresets[clean].decontamination) return undefined;
  return evals ?? (existsSync(EVALS_BESIDE) ? EVALS_BESIDE : undefined);
}

function fractionsOf(
  sources: readonly SourceSpec[],
  bytes: readonly number[],
  maxBytes = Number.POSITIVE_INFINITY,
): ReadonlyMap<string, number> {
  const total = bytes.reduce((sum, size) => sum + size, 0);
  if (total <= maxBytes) return new Map();
  const weights = sources.map(({ weight }) => weight);
  const fractions = readFractions(bytes, weights, maxBytes);
  return new Map(sources.map(({ name }, i) => [name, fractions[i] as number]));
}

async function hashParts(
  sources: readonly SourceSpec[],
): Promise<ReadonlyMap<string, readonly ManifestPart[]>> {
  const hashes = new Map<string, readonly ManifestPart[]>();
  for (const { name, parts } of sources) {
    const rows: ManifestPart[] = [];
    for (const part of parts) {
      const [sha256, bytes] = [await hashPart(part), await estimateBytes(part)];
      rows.push({ name: part.name, bytes, sha256 });
    }
    hashes.set(name, rows);
  }
  return hashes;
}

async function hashFolder(folder: string | undefined): Promise<string | null> {
  if (folder === undefined) return null;
  const files = listTextFiles(folder).map(({ name }) => name);
  return hashPart({ kind: "files", root: folder, name: "", format: "text", files });
}

function hashOf(values: readonly unknown[]): string {
  return createHash("sha256").update(JSON.stringify(values)).digest("hex");
}
