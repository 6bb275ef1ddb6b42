/** `nutshell data`: text into a folder that training starts on, and what became of its documents. */
import { join } from "node:path";
import { NutshellError } from "../../error.ts";
import { inspectCorpus } from "../../llm/data/cleaning/inspect.node.ts";
import { type InspectQuery, renderInspected } from "../../llm/data/cleaning/inspected.ts";
import { renderMixtureTable } from "../../llm/data/mixture/table.ts";
import { renderCleaning, totalCleaning } from "../../llm/data/prepare/cleaning-totals.ts";
import { type PrepareConfig, prepareOptions } from "../../llm/data/prepare/config.ts";
import { writeMixture } from "../../llm/data/prepare/mixture-report.node.ts";
import { CLEANED_FOLDER, prepare, readSummary } from "../../llm/data/prepare/prepare.node.ts";
import {
  describeRun,
  onePass,
  planRun,
  type RunMixture,
} from "../../llm/data/prepare/run-mixture.ts";
import { packSource } from "../../llm/data/sampling/sampler.ts";
import {
  findDamage,
  openPrepared,
  readManifest,
} from "../../llm/data/shards/prepared-folder.node.ts";
import { suggestName } from "../../nearest-name.ts";
import { inRange, type OptionRow, type OptionTableFor } from "../../options.ts";
import { type Command, type CommandIo, defineCommand } from "../command.ts";
import { formatDuration } from "../format.ts";
import { TerminalPrepareTalk } from "../prepare-talk.ts";

interface DataValues extends PrepareConfig {
  out: string;
  sequenceLen: number;
  rule: string | undefined;
  source: string | undefined;
  id: string | undefined;
  verdict: "any" | NonNullable<InspectQuery["verdict"]>;
  sample: number;
  offset: number;
  seed: number;
  whole: boolean;
}

const count = (value: number, doc: string, least = 1): OptionRow & { type: "integer" } => {
  return { type: "integer", value, doc, check: inRange(least, Number.POSITIVE_INFINITY) };
};
const only = (doc: string, placeholder: string): OptionRow & { type: "string?" } => {
  return { type: "string?", value: undefined, doc: `inspect: ${doc}`, placeholder };
};

const options: OptionTableFor<DataValues> = {
  out: {
    type: "string",
    value: "runs/out/data",
    placeholder: "DIR",
    doc: "The prepared folder: made by prepare, read by inspect and verify.",
  },
  ...prepareOptions,
  sequenceLen: count(512, "Tokens of a row, for the table of the mixture."),
  rule: only("what one rule dropped or one mask changed, such as near-duplicate or email.", "NAME"),
  source: only("documents of one source.", "NAME"),
  id: only("the document of this id.", "ID"),
  verdict: {
    type: "string",
    value: "any",
    choices: ["any", "kept", "dropped", "cut", "masked"],
    doc: "inspect: what became of them; cut: kept without a passage of evaluation text.",
  },
  sample: count(10, "inspect: documents to show."),
  offset: count(0, "inspect: documents to pass over first.", 0),
  seed: count(1, "inspect: draws which documents; the same seed shows the same.", 0),
  whole: { type: "boolean", value: false, doc: "inspect: whole texts instead of excerpts." },
};

type Action = (values: DataValues, io: CommandIo) => Promise<void>;

const actions: Readonly<Record<string, Action>> = { prepare: prepareFolder, inspect, verify };

export const command: Command<OptionTableFor<DataValues>> = defineCommand({
  name: "data",
  summary: "clean, deduplicate and tokenise text for training, and see what became of it",
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

async function prepareFolder(values: DataValues, io: CommandIo): Promise<void> {
  const { out, sequenceLen } = values;
  const start = performance.now();
  const talk = new TerminalPrepareTalk(io);
  try {
    await prepare(values, out, talk, io.signal);
  } catch (error) {
    if (io.signal.aborted && error === io.signal.reason) return;
    throw error;
  } finally {
    talk[Symbol.dispose]();
  }
  const mixture = mixOnePass(out, sequenceLen);
  await writeMixture(out, mixture);
  const summary = await readSummary(out);
  const totals = totalCleaning(summary);
  const seconds = (performance.now() - start) / 1000;
  if (io.json) {
    io.stdout(`${JSON.stringify({ out, seconds, ...toJson(mixture), ...totals })}\n`);
    return;
  }
  io.stdout(`${renderMixtureTable(mixture.rows, mixture.emptySlots)}\n${renderCleaning(totals)}\n`);
  io.stdout(`${out}: prepared in ${formatDuration(seconds)}; ${CLEANED_FOLDER}/report.html\n`);
}

/** What a run of one pass over everything would draw. */
function mixOnePass(out: string, sequenceLen: number): RunMixture {
  using prepared = openPrepared(out);
  const packed = prepared.sources.map((source) => packSource(source, sequenceLen));
  const run = onePass(packed.map(({ plan }) => plan.rows));
  return describeRun(prepared.manifest, planRun(prepared.manifest, run), run);
}

function toJson({ rows }: RunMixture): object {
  const off = rows.map(({ requested, realised = 0 }) => Math.abs(realised - requested));
  return {
    peak_rss_mb: Math.round(process.resourceUsage().maxRSS / 1000),
    max_deviation: Math.max(...off),
    sources: rows.map(({ name, requested, realised, bytes, tokens, epochs }) => {
      return { name, requested, realised, bytes, tokens, epochs };
    }),
  };
}

async function inspect(values: DataValues, io: CommandIo): Promise<void> {
  const { out, rule, source, id, verdict, sample, offset, seed, whole } = values;
  const found = await inspectCorpus(join(out, CLEANED_FOLDER), {
    ...{ sample, offset, seed, whole },
    ...(rule === undefined ? {} : { rule }),
    ...(source === undefined ? {} : { source }),
    ...(id === undefined ? {} : { id }),
    ...(verdict === "any" ? {} : { verdict }),
  });
  const text = io.json ? `${JSON.stringify(found)}\n` : renderInspected(found, io);
  io.stdout(text);
}

async function verify({ out }: DataValues, io: CommandIo): Promise<void> {
  const shards = readManifest(out).sources.reduce((sum, source) => sum + source.shards.length, 0);
  const damage = await findDamage(out);
  if (io.json) io.stdout(`${JSON.stringify({ out, shards, damaged: damage.length })}\n`);
  for (const error of damage) throw error;
  if (!io.json) io.stdout(`${out}: ${shards} shards are as they were written\n`);
}
