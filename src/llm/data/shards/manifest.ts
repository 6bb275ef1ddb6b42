/**
 * `manifest.json` of a prepared folder: what the shards were made from and what they must be. It is
 * written last, so whatever it names is complete; files that it does not name are left over.
 *
 *     prepared/manifest.json
 *     prepared/tokenizer-<hash>.json
 *     prepared/shards/<source>-<key>/train-0000.shard … validation-0000.shard source.json
 */
import { NutshellError } from "../../../error.ts";
import type { MixtureSettings } from "../sources/mixture-file.ts";
import { type Domain, domains } from "../sources/source.ts";

export type Side = "train" | "validation";

/** A file that a source was read from. */
export interface ManifestPart {
  readonly name: string;
  readonly bytes: number;
  readonly sha256: string;
}

export interface ManifestShard {
  /** Relative to the manifest's folder, with "/". */
  readonly file: string;
  readonly side: Side;
  /** Size of the file. */
  readonly bytes: number;
  /** Of the whole file, in hexadecimal. */
  readonly sha256: string;
  readonly tokens: number;
  /** Documents that begin in this shard. */
  readonly documents: number;
  /** UTF-8 bytes of their texts. */
  readonly textBytes: number;
}

/** What `prepareShards` made of one source. */
export interface SourceShards {
  /** Hash of everything that the shards follow from: tokenizer, content hashes in order, split. */
  readonly key: string;
  readonly shards: readonly ManifestShard[];
}

export interface ManifestSource extends SourceShards {
  readonly name: string;
  readonly licence: string;
  /** ISO 639-1; absent where nobody said. */
  readonly language?: string;
  readonly card: string;
  readonly domain: Domain;
  readonly weight: number;
  readonly maxEpochs?: number;
  readonly parts: readonly ManifestPart[];
  /** Documents kept by cleaning, and their UTF-8 bytes. */
  readonly documents: number;
  readonly bytes: number;
}

export interface ManifestTokenizer {
  /** Its name holds a part of the hash: a new one never takes the place of the old. */
  readonly file: string;
  readonly sha256: string;
  readonly vocabSize: number;
  /** The token that starts every document; absent in a plain character vocabulary. */
  readonly bos?: number;
}

export interface Manifest {
  readonly version: 1;
  readonly tokenizer: ManifestTokenizer;
  /** For people: where the text comes from. */
  readonly origin: string;
  /** Hash of everything that was asked and read: equal means that there is nothing to do. */
  readonly stamp: string;
  /** Hash of the cleaning options. */
  readonly cleaning: string;
  /** How a run mixes the sources. */
  readonly mixture: MixtureSettings;
  readonly sources: readonly ManifestSource[];
}

export const MANIFEST_FILE = "manifest.json";
export const MANIFEST_VERSION = 1;

/** Sums over the shards of one side. */
export function sideTotals(
  { shards }: SourceShards,
  side: Side,
): { tokens: number; documents: number; textBytes: number } {
  const totals = { tokens: 0, documents: 0, textBytes: 0 };
  for (const shard of shards) {
    if (shard.side !== side) continue;
    totals.tokens += shard.tokens;
    totals.documents += shard.documents;
    totals.textBytes += shard.textBytes;
  }
  return totals;
}

type Rule = (value: unknown) => boolean;

const isText: Rule = (value) => typeof value === "string";
const isCount: Rule = (value) => Number.isSafeInteger(value) && (value as number) >= 0;
const isHash: Rule = (value) => /^[0-9a-f]{64}$/.test(String(value));
const isShare: Rule = (value) => Number.isFinite(value) && (value as number) >= 0;
const isDomain: Rule = (value) => domains.includes(value as Domain);
const isSide: Rule = (value) => value === "train" || value === "validation";
/** Stays below the manifest's folder. */
const isFile: Rule = (value) => isText(value) && !/^\/|\\|(^|\/)\.\.(\/|$)/.test(value as string);
const maybe = (rule: Rule): Rule => {
  return (value) => value === undefined || rule(value);
};
const listOf = (rules: Rules): Rule => {
  return (value) =>
    Array.isArray(value) && value.every((row) => brokenKey(rules, row) === undefined);
};

type Rules = Readonly<Record<string, Rule>>;

const tokenizerRules: Rules = {
  ...{ file: isFile, sha256: isHash, vocabSize: isCount, bos: maybe(isCount) },
};
const shardRules: Rules = {
  ...{ file: isFile, side: isSide, bytes: isCount, sha256: isHash },
  ...{ tokens: isCount, documents: isCount, textBytes: isCount },
};
const sourceRules: Rules = {
  ...{ name: isText, licence: isText, language: maybe(isText), card: isText, domain: isDomain },
  ...{ weight: isShare, maxEpochs: maybe(isShare), documents: isCount, bytes: isCount },
  ...{ key: isHash, parts: listOf({ name: isText, bytes: isCount, sha256: isHash }) },
  shards: listOf(shardRules),
};
const manifestRules: Rules = {
  version: (value) => value === MANIFEST_VERSION,
  tokenizer: (value) => brokenKey(tokenizerRules, value) === undefined,
  ...{ origin: isText, stamp: isText, cleaning: isText, sources: listOf(sourceRules) },
  mixture: (value) => typeof value === "object" && value !== null,
};

/** @returns the first key whose value breaks its rule; "" when `value` is no object at all */
function brokenKey(rules: Rules, value: unknown): string | undefined {
  if (typeof value !== "object" || value === null) return "";
  const row = value as Record<string, unknown>;
  return Object.keys(rules).find((key) => !rules[key]?.(row[key]));
}

/**
 * @param path named in errors
 * @throws DATA when `text` is not a manifest of this version
 */
export function parseManifest(text: string, path: string): Manifest {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw badManifest(path, "be JSON", (cause as Error).message.replace(/\s+/g, " "), cause);
  }
  const key = brokenKey(manifestRules, value);
  if (key === undefined) return value as Manifest;
  const got = (value as Record<string, unknown> | null)?.[key];
  throw badManifest(
    path,
    `have a valid "${key || "version"}"`,
    `${JSON.stringify(got)}`.slice(0, 80),
  );
}

function badManifest(path: string, rule: string, got: string, cause?: unknown): NutshellError {
  return new NutshellError(
    "DATA",
    `${path}: a manifest must ${rule}, got ${got}. Run \`nutshell data prepare\` again.`,
    { cause },
  );
}
