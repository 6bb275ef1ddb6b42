/**
 * `npm run verify:cleaning -- --json`: plants copies, evaluation rows, e-mail addresses and trigger
 * n-grams into a copy of ../shared/data/pretrain, runs `nutshell data prepare` on it, and looks up
 * what became of each. The same data without plants is cleaned first: it says which documents may
 * carry a plant, and what is flagged although nothing was planted. Takes about six minutes; the
 * last line is one JSON object, and the exit code is 1 when a plant was missed.
 *
 *     [--data DIR] [--evals DIR] [--seed N] [--json]
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { gunzipSync, gzipSync } from "node:zlib";
import { cleanCorpus } from "../src/llm/data/cleaning/clean-corpus.node.ts";
import { openCleanedCorpus } from "../src/llm/data/cleaning/cleaned-corpus.node.ts";
import { CORPUS_FILE, type StoredCorpus } from "../src/llm/data/cleaning/corpus-layout.ts";
import { openDatabase, quote } from "../src/llm/data/cleaning/database.node.ts";
import { VERDICTS_FILE } from "../src/llm/data/cleaning/judge-corpus.node.ts";
import { CLEANED_FOLDER } from "../src/llm/data/prepare/prepare.node.ts";
import { gatherInputs } from "../src/llm/data/prepare/prepare-inputs.node.ts";
import { createRandom } from "./llm/data/cleaning/near-duplicates-edits.ts";
import {
  type Place,
  type Plant,
  type PlantBed,
  plantAddresses,
  plantCopies,
  plantEvalRows,
  plantTriggers,
  type Row,
  textOf,
} from "./verify-cleaning-plants.ts";

const root = dirname(import.meta.dirname);
const { values } = parseArgs({
  options: {
    data: { type: "string", default: join(root, "../shared/data/pretrain") },
    evals: { type: "string", default: join(root, "../shared/data/eval") },
    seed: { type: "string", default: "1" },
    json: { type: "boolean", default: false },
  },
});
const folder = mkdtempSync(join(tmpdir(), "nutshell-cleaning-"));
const random = createRandom(Number(values.seed));
const start = performance.now();
const say = (text: string): void => {
  const seconds = ((performance.now() - start) / 1000).toFixed(0);
  process.stderr.write(`${seconds.padStart(4)} s  ${text}\n`);
};

try {
  await verify();
} finally {
  rmSync(folder, { recursive: true });
}

async function verify(): Promise<void> {
  say("cleaning the data as it is");
  const clean = await cleanAsItIs(join(folder, "clean"));
  const corpus = readCorpus(values.data);
  const plants = plantAll(corpus, clean);
  say(`${plants.length} plants of seed ${values.seed}; preparing the data with them`);
  writeCorpus(corpus, join(folder, "planted-data"));
  await prepare(join(folder, "planted-data"), join(folder, "planted"));
  const planted = await readVerdicts(join(folder, "planted", CLEANED_FOLDER));
  say("looking up what became of the plants");
  await report(plants, clean, planted);
}

/** Verdicts by place, as `file#row`. */
type Verdicts = ReadonlyMap<string, Verdict>;

interface Verdict {
  readonly verdict: "kept" | "dropped" | "cut";
  readonly rule: string | null;
  readonly masked: boolean;
}

function keyOf({ file, row }: Place): string {
  return `${file}#${row}`;
}

async function cleanAsItIs(out: string): Promise<Verdicts> {
  mkdirSync(out, { recursive: true });
  const inputs = await gatherInputs({
    ...{ data: values.data, evals: values.evals, mixture: "as-given", temperature: 1 },
    ...{
      clean: "standard",
      tokenizer: "bpe",
      vocabSize: 8192,
      maxBytes: undefined,
      threads: undefined,
    },
  });
  const { sources, rules, evals, threads } = inputs;
  const signal = new AbortController().signal;
  const options = { folder: out, sources, rules, evalPath: evals, threads, signal };
  await using _corpus = await cleanCorpus({ ...options, progress: () => {} });
  return readVerdicts(out);
}

async function prepare(data: string, out: string): Promise<void> {
  const main = join(root, "src/cli/main.ts");
  const args = [
    main,
    "data",
    "prepare",
    "--data",
    data,
    "--evals",
    values.evals,
    "--out",
    out,
    "--json",
  ];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  child.stdout.on("data", (line: Buffer) => say(`data prepare: ${`${line}`.slice(0, 200).trim()}`));
  const [code] = await once(child, "close");
  if (code !== 0) throw new Error(`data prepare ended with code ${code}`);
}

async function readVerdicts(cleaned: string): Promise<Verdicts> {
  const { layout } = JSON.parse(readFileSync(join(cleaned, CORPUS_FILE), "utf8")) as StoredCorpus;
  using database = await openDatabase({
    threads: 1,
    memoryBytes: 300e6,
    spillFolder: join(cleaned, "spill"),
  });
  const path = quote(join(cleaned, VERDICTS_FILE));
  const result = await database.connection.runAndReadAll(
    `SELECT source, part, row, verdict, rule, cardinality(masks) > 0 FROM read_parquet(${path})`,
  );
  const verdicts = new Map<string, Verdict>();
  for (const [source, part, row, verdict, rule, masked] of result.getRows()) {
    const file = layout.sources[source as number]?.parts[part as number]?.name as string;
    const key = keyOf({ file: basenameOf(file), row: row as number });
    verdicts.set(key, { verdict, rule, masked: masked === true } as Verdict);
  }
  return verdicts;
}

/** Files of the data have different names, so the last piece of the path is enough. */
function basenameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

interface FileRows {
  readonly path: string;
  readonly rows: Row[];
}

function readCorpus(data: string): Map<string, FileRows> {
  const paths = readdirSync(data, { recursive: true, encoding: "utf8" }).sort();
  const files = paths.filter((path) => path.endsWith(".jsonl.gz"));
  return new Map(
    files.map((path) => [basenameOf(path), { path, rows: readRows(join(data, path)) }]),
  );
}

function readRows(path: string): Row[] {
  const lines = gunzipSync(readFileSync(path)).toString().split("\n");
  return lines.filter((line) => line.trim() !== "").map((line) => JSON.parse(line) as Row);
}

function writeCorpus(corpus: ReadonlyMap<string, FileRows>, out: string): void {
  for (const { path, rows } of corpus.values()) {
    mkdirSync(dirname(join(out, path)), { recursive: true });
    const lines = rows.map((row) => JSON.stringify(row)).join("\n");
    writeFileSync(join(out, path), gzipSync(`${lines}\n`, { level: 1 }));
  }
}

function plantAll(files: ReadonlyMap<string, FileRows>, clean: Verdicts): Plant[] {
  const corpus = new Map([...files].map(([name, { rows }]) => [name, rows]));
  const bed: PlantBed = { corpus, random, take: takePlaces(corpus, clean) };
  const evalRows = new Map(
    readdirSync(values.evals, { recursive: true, encoding: "utf8" })
      .filter((path) => path.endsWith(".jsonl.gz") && !path.startsWith("arc_agi"))
      .map((path) => [path, readRows(join(values.evals, path))]),
  );
  return [
    ...plantTriggers(bed),
    ...plantCopies(bed, 30),
    ...plantEvalRows(bed, evalRows, 4),
    ...plantAddresses(bed, 15),
  ];
}

/** Random documents that cleaning leaves alone, each once. */
function takePlaces(corpus: ReadonlyMap<string, Row[]>, clean: Verdicts): PlantBed["take"] {
  const places = [...corpus].flatMap(([file, rows]) =>
    [...rows.keys()].map((row) => ({ file, row })),
  );
  const free = places.filter((place) => {
    const verdict = clean.get(keyOf(place));
    const row = corpus.get(place.file)?.[place.row] as Row;
    return verdict?.verdict === "kept" && !verdict.masked && row.turns === undefined;
  });
  return (fits) => {
    for (let tries = 0; tries < 10_000; tries++) {
      const at = Math.floor(random() * free.length);
      const place = free[at] as Place;
      if (!fits(textOf(corpus.get(place.file)?.[place.row] as Row))) continue;
      free.splice(at, 1);
      return place;
    }
    throw new Error("no document fits a plant");
  };
}

async function report(plants: readonly Plant[], clean: Verdicts, planted: Verdicts): Promise<void> {
  const kept = await readKeptTexts(plants, planted);
  const kinds = new Map<string, { planted: number; found: number; beyond: boolean }>();
  for (const plant of plants) {
    const count = kinds.get(plant.kind) ?? { planted: 0, found: 0, beyond: plant.beyond };
    kinds.set(plant.kind, count);
    count.planted++;
    if (isFound(plant, planted, kept)) count.found++;
    else if (!plant.beyond) say(`missed: ${JSON.stringify(plant)}`);
  }
  const asked = [...kinds.values()].filter(({ beyond }) => !beyond);
  const total = (key: "planted" | "found"): number =>
    asked.reduce((sum, kind) => sum + kind[key], 0);
  const result = {
    planted: total("planted"),
    found: total("found"),
    recall: Object.fromEntries([...kinds].filter(([, kind]) => !kind.beyond).map(toRecall)),
    beyond_reach: Object.fromEntries([...kinds].filter(([, kind]) => kind.beyond).map(toRecall)),
    flagged_without_plants: countRules(clean),
    // At most this share of clean documents is flagged wrongly; many of them rightly.
    flagged_rate_without_plants: ratesOf(countRules(clean), clean.size),
    false_positive_rate_beside_plants: falsePositives(plants, clean, planted),
    documents: clean.size,
    seed: Number(values.seed),
    seconds: Math.round((performance.now() - start) / 1000),
  };
  if (!values.json) console.table(Object.fromEntries(kinds));
  console.log(JSON.stringify(result));
  process.exitCode = result.found === result.planted ? 0 : 1;
}

function toRecall([kind, { planted, found }]: [string, { planted: number; found: number }]): [
  string,
  number,
] {
  return [kind, Number((found / planted).toFixed(4))];
}

function isFound(plant: Plant, verdicts: Verdicts, kept: ReadonlyMap<string, string>): boolean {
  const goes = (place: Place): boolean => verdicts.get(keyOf(place))?.verdict !== "kept";
  if (plant.asks === "one of two goes") return plant.places.some(goes);
  if (plant.asks === "document goes") return goes(plant.place);
  if (plant.asks === "passage goes" && !goes(plant.place)) return false;
  const left = kept.get(keyOf(plant.place));
  return left === undefined || !left.includes(plant.text);
}

/** Texts as they are trained on, of the documents from which only a text should go. */
async function readKeptTexts(
  plants: readonly Plant[],
  verdicts: Verdicts,
): Promise<Map<string, string>> {
  const cleaned = join(folder, "planted", CLEANED_FOLDER);
  const wanted = new Set(plants.flatMap((plant) => ("place" in plant ? [keyOf(plant.place)] : [])));
  await using corpus = await openCleanedCorpus(cleaned, availableParallelism());
  const texts = new Map<string, string>();
  const keptKeys = await keysBySource(cleaned, verdicts);
  for (const [source, keys] of keptKeys) {
    let next = 0;
    for await (const { text } of corpus.keptDocuments(source)) {
      const key = keys[next++] as string;
      if (wanted.has(key)) texts.set(key, text);
    }
  }
  return texts;
}

/** Places of the documents that are not dropped, in the order in which a source gives them. */
async function keysBySource(cleaned: string, verdicts: Verdicts): Promise<Map<string, string[]>> {
  const { layout } = JSON.parse(readFileSync(join(cleaned, CORPUS_FILE), "utf8")) as StoredCorpus;
  return new Map(
    layout.sources.map(({ name, parts }) => {
      const keys = parts.flatMap(({ name: file, files }) => {
        const rows = files.reduce((sum, { rows }) => sum + rows, 0);
        return Array.from({ length: rows }, (_, row) => keyOf({ file: basenameOf(file), row }));
      });
      return [name, keys.filter((key) => verdicts.get(key)?.verdict !== "dropped")];
    }),
  );
}

function ratesOf(counts: Readonly<Record<string, number>>, all: number): Record<string, number> {
  const rates = Object.entries(counts).map(([rule, count]): [string, number] => {
    return [rule, Number((count / all).toPrecision(3))];
  });
  return Object.fromEntries(rates);
}

/** Documents by the rule that dropped or cut them. */
function countRules(verdicts: Verdicts): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { rule } of verdicts.values())
    if (rule !== null) counts[rule] = (counts[rule] ?? 0) + 1;
  return counts;
}

/** By rule: share of the documents without a plant that are lost only because plants are there. */
function falsePositives(
  plants: readonly Plant[],
  clean: Verdicts,
  planted: Verdicts,
): Record<string, number> {
  const touched = new Set(
    plants.flatMap((plant) => ("place" in plant ? [plant.place] : plant.places)).map(keyOf),
  );
  const rest = [...clean].filter(([key, { verdict }]) => verdict === "kept" && !touched.has(key));
  const counts: Record<string, number> = {};
  for (const [key] of rest) {
    const rule = planted.get(key)?.rule ?? null;
    if (rule !== null) counts[rule] = (counts[rule] ?? 0) + 1;
  }
  const corpusRules = ["exact-duplicate", "near-duplicate", "evaluation-text", "trigger"];
  const zeros = Object.fromEntries(corpusRules.map((rule) => [rule, 0]));
  return ratesOf({ ...zeros, ...counts }, rest.length);
}
