/**
 * Text → tokens for a run: a folder that `data prepare` made is used as it is; anything else is
 * prepared in the run's own folder first, where a later start finds it.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { renderCleaning, totalCleaning } from "../data/prepare/cleaning-totals.ts";
import type { RunTokenizer } from "../data/prepare/learn-tokenizer.node.ts";
import { prepare, readSummary } from "../data/prepare/prepare.node.ts";
import { MANIFEST_FILE } from "../data/shards/manifest.ts";
import {
  dataHash,
  openPrepared,
  type PreparedFolder,
} from "../data/shards/prepared-folder.node.ts";
import type { Talk } from "../run/talk.ts";
import { fromTokenizerJson } from "../tokenizer/tokenizer-json.ts";
import type { PretrainConfig } from "./config.ts";
import { toPrepareTalk } from "./prepare-talk.ts";

export interface PreparedData extends PreparedFolder {
  readonly folder: string;
  readonly tokenizer: RunTokenizer;
  /** SHA-256 over everything that training draws from. */
  readonly hash: string;
}

/**
 * @param known the tokenizer of a run that is resumed
 * @throws DATA, CONFIG, TOKENIZER, DISK; the signal's reason when it aborts
 */
export async function prepareData(
  config: PretrainConfig,
  known: RunTokenizer | undefined,
  talk: Talk,
  signal: AbortSignal,
): Promise<PreparedData> {
  const folder = isPrepared(config.data) ? config.data : join(config.out, "data");
  if (folder !== config.data) {
    await prepare(config, folder, toPrepareTalk(talk), signal, known);
    talk.say(`text, cleaned\n${renderCleaning(totalCleaning(await readSummary(folder)))}`);
  }
  signal.throwIfAborted();
  const prepared = openPrepared(folder);
  const tokenizer = fromTokenizerJson(prepared.tokenizerJson, prepared.manifest.tokenizer.file);
  return { ...prepared, folder, tokenizer, hash: dataHash(prepared.manifest) };
}

function isPrepared(data: string | undefined): data is string {
  return data !== undefined && existsSync(join(data, MANIFEST_FILE));
}
