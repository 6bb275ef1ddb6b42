/**
 * From text to a folder that a run can start on, in the order in which it happens:
 *
 *     sources → cleaned documents → tokenizer → shards → manifest
 *
 * Every stage finds what an earlier call left and makes only what is missing or out of date:
 * cleaned parts by the hash of their file, shards by the hashes of their documents. The tokenizer
 * of a folder stays while the same one is asked for, or new text would make every shard anew.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { NutshellError } from "../../../error.ts";
import { createEncodeTeam } from "../../tokenizer/encode-team.node.ts";
import { toTokenizerJson } from "../../tokenizer/tokenizer-json.ts";
import { cleanCorpus } from "../cleaning/clean-corpus.node.ts";
import type { CleanedCorpus, CleaningSummary } from "../cleaning/cleaning.ts";
import { finishPrepared } from "../shards/finish-prepared.node.ts";
import type { Manifest, ManifestSource } from "../shards/manifest.ts";
import { isWhole, tryReadManifest } from "../shards/prepared-folder.node.ts";
import { chooseTokenizer } from "./choose-tokenizer.node.ts";
import type { PrepareConfig } from "./config.ts";
import type { RunTokenizer } from "./learn-tokenizer.node.ts";
import { gatherInputs, type PrepareInputs } from "./prepare-inputs.node.ts";
import { requireText } from "./require-text.ts";
import { shardSource } from "./shard-source.node.ts";
import type { PrepareTalk } from "./talk.ts";

type CleaningReport = Omit<CleaningSummary, "parts">;

/** Holds the folder's cleaned documents, verdicts and reports. */
export const CLEANED_FOLDER = "cleaned";

/**
 * Makes or renews a prepared folder.
 * @param known the tokenizer of a run that is resumed; absent: the folder's, or a new one
 * @throws DATA, CONFIG, TOKENIZER, DISK in one line; the signal's reason. What was finished stays.
 */
export async function prepare(
  config: PrepareConfig,
  folder: string,
  talk: PrepareTalk,
  signal: AbortSignal,
  known?: RunTokenizer,
): Promise<Manifest> {
  const inputs = await gatherInputs(config);
  const before = tryReadManifest(folder);
  if (before?.stamp === inputs.stamp && (await isWhole(folder))) return before;
  await using corpus = await clean(inputs, folder, talk, signal);
  const tokenizer = known ?? (await chooseTokenizer(config, folder, before, inputs, corpus));
  signal.throwIfAborted();
  const sources = await shard(inputs, corpus, tokenizer, folder, talk, signal);
  requireText(inputs.origin, sources);
  const { origin, stamp, cleaningHash: cleaning, mixture } = inputs;
  const json = toTokenizerJson(tokenizer);
  const { vocabSize, bos } = tokenizer;
  const rest = { origin, stamp, cleaning, mixture, sources };
  return finishPrepared(folder, { json, vocabSize, bos }, rest);
}

/** What cleaning did, as the folder's report has it. @throws DATA when there is none */
export async function readSummary(folder: string): Promise<CleaningReport> {
  const path = join(folder, CLEANED_FOLDER, "report.json");
  try {
    return JSON.parse(await readFile(path, "utf8")) as CleaningReport;
  } catch (cause) {
    throw new NutshellError(
      "DATA",
      `${path}: must be a report of cleaning, got ${(cause as Error).message}. ` +
        "Remove manifest.json and run `nutshell data prepare` again.",
      { cause },
    );
  }
}

async function clean(
  inputs: PrepareInputs,
  folder: string,
  talk: PrepareTalk,
  signal: AbortSignal,
): Promise<CleanedCorpus> {
  const { sources, threads, evals: evalPath, rules, fractions } = inputs;
  return cleanCorpus({
    ...{ sources, threads, evalPath, rules, fractions, signal },
    folder: join(folder, CLEANED_FOLDER),
    progress: (progress) => talk.progress(progress),
  });
}

/** One source after the other, the texts of each encoded by a team of threads. */
async function shard(
  { sources, threads, partHashes }: PrepareInputs,
  corpus: CleanedCorpus,
  tokenizer: RunTokenizer,
  folder: string,
  talk: PrepareTalk,
  signal: AbortSignal,
): Promise<ManifestSource[]> {
  await using encoder = await createEncodeTeam(tokenizer, threads);
  const made: ManifestSource[] = [];
  for (const source of sources) {
    const parts = partHashes.get(source.name) ?? [];
    const target = { folder, tokenizer, encoder, talk, signal };
    made.push(await shardSource(source, parts, corpus, target));
  }
  return made;
}
