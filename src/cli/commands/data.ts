/** `nutshell data`: text into a folder that training starts on, and what became of every document. */
import { NutshellError } from "../../error.ts";
import { renderMixtureTable } from "../../llm/data/mixture/table.ts";
import { type PrepareConfig, prepareOptions } from "../../llm/data/prepare/config.ts";
import { writeMixture } from "../../llm/data/prepare/mixture-report.node.ts";
import { prepare } from "../../llm/data/prepare/prepare.node.ts";
import { describeRun, onePass, planRun } from "../../llm/data/prepare/run-mixture.ts";
import { packSource } from "../../llm/data/sampling/sampler.ts";
import {
  findDamage,
  openPrepared,
  readManifest,
} from "../../llm/data/shards/prepared-folder.node.ts";
import { suggestName } from "../../nearest-name.ts";
import { inRange, type OptionTableFor } from "../../options.ts";
import { type Command, type CommandIo, defineCommand } from "../command.ts";
import { formatDuration } from "../format.ts";
import { TerminalPrepareTalk } from "../prepare-talk.ts";

interface DataValues extends PrepareConfig {
  out: string;
  sequenceLen: number;
}

const options: OptionTableFor<DataValues> = {
  ...prepareOptions,
  out: {
    type: "string",
    value: "runs/out/data",
    placeholder: "DIR",
    doc: "The prepared folder: made by prepare, read by inspect and verify.",
  },
  sequenceLen: {
    type: "integer",
    value: 512,
    doc: "Tokens of a row, for the table of the mixture.",
    check: inRange(1, Number.POSITIVE_INFINITY),
  },
};

type Action = (values: DataValues, io: CommandIo) => Promise<void>;

const actions: Readonly<Record<string, Action>> = { prepare: runPrepare, verify };

export const command: Command<OptionTableFor<DataValues>> = defineCommand({
  name: "data",
  summary: "clean, deduplicate and tokenise text for training, and look at what became of it",
  example: "nutshell data prepare --data books/ --out runs/out/data",
  positionals: [{ name: "ACTION", doc: "prepare, inspect or verify.", required: true }],
  options,
  async run(values, io, { positionals: [name = ""] }) {
    const action = Object.hasOwn(actions, name) ? actions[name] : undefined;
    if (action === undefined) {
      const hint = suggestName(name, Object.keys(actions));
      throw new NutshellError("USAGE", `data: no action "${name}". ${hint}`);
    }
    await action(values, io);
  },
});

async function runPrepare(values: DataValues, io: CommandIo): Promise<void> {
  const start = performance.now();
  using talk = new TerminalPrepareTalk(io);
  const manifest = await prepare(values, values.out, talk, io.signal);
  talk[Symbol.dispose]();
  using prepared = openPrepared(values.out);
  const packed = prepared.sources.map((source) => packSource(source, values.sequenceLen));
  const run = onePass(packed.map(({ plan }) => plan.rows));
  const mixture = describeRun(manifest, planRun(manifest, run), run);
  await writeMixture(values.out, mixture);
  const seconds = (performance.now() - start) / 1000;
  const rss = process.resourceUsage().maxRSS / 1000;
  if (io.json) {
    const rows = mixture.rows.map(({ name, requested, realised, tokens }) => {
      return { name, requested, realised, tokens };
    });
    const deviation = Math.max(
      ...mixture.rows.map(({ requested, realised = 0 }) => Math.abs(realised - requested)),
    );
    const facts = { out: values.out, seconds, peak_rss_mb: rss, max_deviation: deviation };
    io.stdout(`${JSON.stringify({ ...facts, sources: rows })}\n`);
    return;
  }
  io.stdout(`${renderMixtureTable(mixture.rows, mixture.emptySlots)}\n`);
  io.stdout(`${values.out}: prepared in ${formatDuration(seconds)}\n`);
}

async function verify({ out }: DataValues, io: CommandIo): Promise<void> {
  const shards = readManifest(out).sources.flatMap(({ shards: list }) => list);
  const damage = await findDamage(out);
  const [first] = damage;
  if (io.json)
    io.stdout(`${JSON.stringify({ out, shards: shards.length, damaged: damage.length })}\n`);
  if (first !== undefined) throw first;
  if (!io.json) io.stdout(`${out}: ${shards.length} shards are as they were written\n`);
}
