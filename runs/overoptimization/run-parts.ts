/**
 * Parts in a row, each done once: its result and its time lie in `NAME.json`, and a second start
 * takes them from there. A folder belongs to one plan; another plan needs another folder.
 */
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { formatDuration } from "../../src/cli/format.ts";
import { replaceFile, tryReadText } from "../../src/durable-file.node.ts";
import { NutshellError } from "../../src/error.ts";
import type { Talk } from "../../src/llm/run/talk.ts";
import type { Plan } from "./plan.ts";

/** @returns undefined when `signal` stopped it on the way */
export type Part<R> = (plan: Plan, talk: Talk, signal: AbortSignal) => Promise<R | undefined>;

export interface Parts {
  /** Wall time of each part that is done. */
  readonly seconds: Readonly<Record<string, number>>;
  /**
   * @param story one line for people
   * @throws what the part throws; the signal's reason when it was stopped
   */
  run<R extends object>(name: string, story: string, part: Part<R>): Promise<R>;
}

const PLAN = "plan.json";

/**
 * @param fresh removes what an earlier start left
 * @throws CONFIG when the folder holds another plan
 */
export async function openParts(
  plan: Plan,
  fresh: boolean,
  talk: Talk,
  signal: AbortSignal,
): Promise<Parts> {
  const { out } = plan.values;
  if (fresh) await removeParts(out);
  await requireSamePlan(plan);
  const seconds: Record<string, number> = {};
  return {
    seconds,
    async run<R extends object>(name: string, story: string, part: Part<R>): Promise<R> {
      const path = join(out, `${name}.json`);
      const done = await tryReadText(path);
      if (done !== undefined) {
        const { result, seconds: took } = JSON.parse(done) as { result: R; seconds: number };
        seconds[name] = took;
        talk.say(`== ${name}: done before, in ${formatDuration(took)}`);
        return result;
      }
      talk.say(`\n== ${name}: ${story}`);
      const start = performance.now();
      const result = await part(plan, talk, signal);
      signal.throwIfAborted();
      if (result === undefined) throw new Error(`${name}: a part that is not stopped has a result`);
      const took = (performance.now() - start) / 1000;
      seconds[name] = took;
      await replaceFile(path, `${JSON.stringify({ seconds: took, result })}\n`);
      talk.say(`== ${name}: took ${formatDuration(took)}`);
      return result;
    },
  };
}

/** Everything that shapes a number; the penalties may grow in number. */
async function requireSamePlan({ values, sizes }: Plan): Promise<void> {
  const { model, rankings, noise, seed, quick, backend } = values;
  const now = JSON.stringify({ model, rankings, noise, seed, quick, backend, sizes });
  const path = join(values.out, PLAN);
  const before = await tryReadText(path);
  if (before === undefined) return replaceFile(path, `${now}\n`);
  if (before.trim() === now) return;
  throw new NutshellError(
    "CONFIG",
    `${values.out}: a folder must keep to one plan, got ${now} where it has ${before.trim()}. ` +
      "Choose another --out, or --fresh to start over.",
  );
}

/** What the experiment leaves in its folder; nothing else that may lie there is touched. */
const OWN =
  /^(1-pretrain|2-sft|4-reward|6-ppo-kl-[\d.e-]+|(plan|pretrain|sft|rankings|reward|best-of-n|ppo-kl-[\d.e-]+|overoptimization)\.json|(stories|lessons|rankings)\.jsonl|overoptimization\.(svg|md))$/;

async function removeParts(out: string): Promise<void> {
  for (const name of await readdir(out))
    if (OWN.test(name)) await rm(join(out, name), { recursive: true });
}
