/**
 * `npm run ship -- --grown runs/out/kernel --out models/kernel`: makes of a grown model what the
 * repository ships: its RL model in 8 bits a weight, measured again as such, with card, report,
 * attributions and the commands that made it. Answers to data sets that are not ours stay out.
 */
import { readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { type Command, type CommandIo, defineCommand } from "../src/cli/command.ts";
import { runProgram } from "../src/cli/execute.ts";
import { digestFile, replaceFile } from "../src/durable-file.node.ts";
import { NutshellError } from "../src/error.ts";
import { type EvalConfig, evalOptions } from "../src/llm/eval/config.ts";
import { evaluate } from "../src/llm/eval/evaluate.node.ts";
import type { EvalReport } from "../src/llm/eval/report.ts";
import { openExportModel } from "../src/llm/export/export-model.node.ts";
import { prepareExport } from "../src/llm/export/formats.node.ts";
import { folderOf } from "../src/llm/grow/state.node.ts";
import { loadCheckpoint } from "../src/llm/model/checkpoint.node.ts";
import { countParameters } from "../src/llm/model/size.ts";
import type { GrowRecord } from "../src/llm/report/record.ts";
import { writeReport } from "../src/llm/report/report.node.ts";
import { createTalk } from "../src/llm/run/talk.ts";
import { resolveOptions } from "../src/options.ts";
import { renderAttribution, renderCard, type ShippedModel } from "./ship/card.ts";

const MOST_BYTES = 40e6;
/** Suites whose problems this program makes. */
const OWN_SUITES = ["assistant", "arithmetic", "talk"];

async function ship(grown: string, out: string, io: CommandIo): Promise<ShippedModel> {
  const record = withoutForeignAnswers(await readRecord(grown));
  const model = await openExportModel(folderOf(grown, "rl"));
  const prepared = prepareExport(model, { to: "safetensors", format: "q8_0", cache: false });
  await prepared.write(out, { force: true, signal: io.signal });
  const weights = join(out, "model.safetensors");
  const [{ size: bytes }, { sha256 }] = [await stat(weights), await digestFile(weights)];
  if (bytes > MOST_BYTES)
    throw new NutshellError(
      "CONFIG",
      `ship: ${weights} must have at most ${MOST_BYTES} bytes, got ${bytes}. Grow a smaller model.`,
    );
  const { config } = await loadCheckpoint(out);
  const parameters = countParameters(config).total;
  const shipped = await measure(out, grown, io);
  const commands = [
    `npx nutshell grow --preset ${record.preset} --out ${grown}`,
    `npm run ship -- --grown ${grown} --out ${out}`,
  ];
  const about = { config, parameters, bytes, sha256, commands, record, shipped };
  const card = { name: `Nutshell ${record.preset}`, ...about };
  await replaceFile(join(out, "card.md"), renderCard(card));
  await replaceFile(join(out, "ATTRIBUTION.md"), renderAttribution(card));
  await rm((await writeReport(out, record)).record); // What the report is computed from: megabytes.
  return card;
}

async function readRecord(grown: string): Promise<GrowRecord> {
  const path = join(grown, "record.json");
  try {
    return JSON.parse(await readFile(path, "utf8")) as GrowRecord;
  } catch (cause) {
    const message = `ship: ${path} must be a grown model's record, got none. Run nutshell grow.`;
    throw new NutshellError("CONFIG", message, { cause });
  }
}

/** Problems of other people's data sets are theirs; numbers about them are not. */
function withoutForeignAnswers(record: GrowRecord): GrowRecord {
  const entries = Object.entries(record.evals).map(([name, report]: [string, EvalReport]) => {
    const rows = report.rows.map((row) =>
      OWN_SUITES.includes(row.suite) ? row : { ...row, examples: [] },
    );
    return [name, { ...report, rows }];
  });
  return { ...record, evals: Object.fromEntries(entries) };
}

function measure(model: string, grown: string, io: CommandIo): Promise<EvalReport> {
  const asked = {
    model,
    ...{ suite: "assistant,text", maxRows: 100 },
    text: join(folderOf(grown, "pretrain"), "data"),
  };
  const values = resolveOptions(evalOptions, { from: "ship", values: asked }) as EvalConfig;
  return evaluate(values, createTalk(io), io.signal);
}

const command: Command = defineCommand({
  name: "ship",
  start: "npm run ship --",
  summary: "make of a grown model what the repository ships",
  example: "npm run ship -- --grown runs/out/kernel --out models/kernel",
  options: {
    grown: { type: "string", value: "runs/out/kernel", doc: "What nutshell grow made." },
    out: { type: "string", value: "models/kernel", doc: "The model's folder." },
  },
  async run({ grown, out }, io) {
    const { parameters, bytes, sha256 } = await ship(grown, out, io);
    const result = { out, parameters, bytes, sha256 };
    io.stdout(io.json ? `${JSON.stringify(result)}\n` : `${out}: ${(bytes / 1e6).toFixed(1)} MB\n`);
  },
});

await runProgram(command);
