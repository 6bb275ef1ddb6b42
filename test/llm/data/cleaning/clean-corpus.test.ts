/**
 * Cleaning from files to verdicts, with real worker threads and a real database: what was planted
 * is found, nothing disappears, nothing is made twice, and a failure leaves what was finished.
 */
import assert from "node:assert/strict";
import {
  globSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { gzipSync } from "node:zlib";
import { cleanCorpus } from "../../../../src/llm/data/cleaning/clean-corpus.node.ts";
import {
  type CleanedCorpus,
  type CleaningOptions,
  cleaningPresets,
  type KeptDocument,
} from "../../../../src/llm/data/cleaning/cleaning.ts";
import { inspectCorpus } from "../../../../src/llm/data/cleaning/inspect.node.ts";
import { renderInspected } from "../../../../src/llm/data/cleaning/inspected.ts";
import type { SourceSpec } from "../../../../src/llm/data/sources/source.ts";

const root = mkdtempSync(join(tmpdir(), "nutshell-cleaning-"));
after(() => rmSync(root, { recursive: true, force: true }));

const words = (
  "river morning field water village flood rain school hill feast man sheep evening wind cloud " +
  "moon teacher door letter garden winter horse bridge market stone candle paper window road salt"
).split(" ");

/** A story that no other number tells: English, with its stop words, and no line twice. */
function story(seed: number, sentences = 8): string {
  let state = seed * 2654435761 + 12345;
  const half = (): string => {
    state = (Math.imul(state, 1103515245) + 12345) | 0;
    return words[(state >>> 8) % words.length] as string;
  };
  const next = (): string => half() + half();
  const sentence = (): string =>
    `The ${next()} and the ${next()} of the ${next()} have gone to ${next()} with a ${next()}, ` +
    `and that ${next()} would be the ${next()} by ${next()} ${next()}.`;
  return Array.from({ length: sentences }, sentence).join(" ");
}

const secret = "jane.doe.4711@mail.example.net";
const spanish =
  "La ciudad amaneció cubierta de niebla y los vecinos salieron a la calle para comprobar que el " +
  "río había vuelto a su cauce después de la tormenta que durante tres días había azotado la comarca.";
const more =
  "El alcalde respondió que el presupuesto no permitía mantener un edificio tan grande, y que los " +
  "padres tendrían que llevar a sus hijos a la escuela del pueblo vecino durante todo el año.";
const evalRow =
  "which of the twelve wooden ships carried the seven golden lanterns across the frozen harbour";

interface Planted {
  readonly id: string;
  readonly text: string;
}

const newsRows: readonly Planted[] = [
  ...Array.from({ length: 60 }, (_, i) => ({ id: `n${i}`, text: story(i) })),
  { id: "copy", text: `  ${story(3).toUpperCase()}\n` },
  { id: "near", text: `${story(5)} Now it ends.` },
  { id: "mail", text: `${story(900)} Write to ${secret} at once.` },
  { id: "lorem", text: `${story(901)} Lorem ipsum dolor sit amet.` },
  { id: "spanish", text: `${spanish} ${more}` },
  { id: "eval", text: `${story(902)} Say ${evalRow}?` },
];
const bookRows: readonly Planted[] = [
  ...Array.from({ length: 20 }, (_, i) => ({ id: `b${i}`, text: story(1000 + i, 12) })),
  { id: "copy across sources", text: story(7) },
];

const jsonl = (rows: readonly Planted[]): string =>
  rows.map((row) => JSON.stringify(row)).join("\n");

function sourcesIn(folder: string): SourceSpec[] {
  mkdirSync(folder, { recursive: true });
  const write = (name: string, bytes: string | Uint8Array): string => {
    writeFileSync(join(folder, name), bytes);
    return join(folder, name);
  };
  const most = newsRows.length - 12;
  const files: Record<string, string[]> = {
    news: [
      write("news_0.jsonl", jsonl(newsRows.slice(0, most))),
      write("news_1.jsonl.gz", gzipSync(jsonl(newsRows.slice(most)))),
    ],
    books: [write("books.jsonl", jsonl(bookRows))],
  };
  return Object.entries(files).map(([name, paths]) => ({
    name,
    licence: "CC0",
    language: "en",
    card: "made by a test",
    domain: name as "news" | "books",
    weight: 1,
    maxEpochs: undefined,
    parts: paths.map((path) => {
      return { kind: "file", path, name: path.slice(folder.length + 1), format: "jsonl" } as const;
    }),
  }));
}

const evalPath = join(root, "eval");
mkdirSync(evalPath);
writeFileSync(
  join(evalPath, "set.jsonl"),
  `${JSON.stringify({ question: evalRow, answer: "x" })}\n`,
);

const sources = sourcesIn(join(root, "data"));

// Triggers are a matter of large corpora and have a test of their own.
const rules = { ...cleaningPresets.standard, triggers: false };

function clean(folder: string, more: Partial<CleaningOptions> = {}): Promise<CleanedCorpus> {
  return cleanCorpus({
    folder: join(root, folder),
    sources,
    threads: 2,
    evalPath,
    rules,
    signal: new AbortController().signal,
    progress: () => {},
    ...more,
  });
}

async function keptOf(corpus: CleanedCorpus, source: string): Promise<KeptDocument[]> {
  const documents: KeptDocument[] = [];
  for await (const document of corpus.keptDocuments(source)) documents.push(document);
  return documents;
}

test("planted documents are dropped or masked by their rules, the others are kept", async () => {
  await using corpus = await clean("out");
  const [news, books] = corpus.summary.sources;
  const dropped = Object.fromEntries(
    Object.entries(news?.dropped ?? {}).map(([rule, { documents }]) => [rule, documents]),
  );
  assert.deepEqual(dropped, {
    "c4-lorem-ipsum": 1,
    "evaluation-text": 1,
    "exact-duplicate": 1,
    language: 1,
    "near-duplicate": 1,
  });
  assert.deepEqual(Object.keys(books?.dropped ?? {}), ["exact-duplicate"]);
  assert.deepEqual(news?.masked, { email: { documents: 1, spans: 1 } });
  const kept = await keptOf(corpus, "news");
  const gone = new Set(["copy", "lorem", "spanish", "eval"]);
  const expected = newsRows.map(({ id }) => id).filter((id) => !gone.has(id));
  // Of two near-duplicates either may stay.
  const either = (ids: readonly string[]): string[] => ids.filter((id) => !/^(n5|near)$/.test(id));
  assert.deepEqual(either(kept.map(({ id }) => id)), either(expected));
  assert.deepEqual(kept.find(({ id }) => id === "n1")?.text, story(1));
});

test("counts add up, and hashes stand in the order of the documents", async () => {
  await using corpus = await clean("out");
  for (const { name, read, kept, dropped } of corpus.summary.sources) {
    const lost = Object.values(dropped).reduce((sum, { documents }) => sum + documents, 0);
    assert.equal(read.documents, kept.documents + lost);
    const documents = await keptOf(corpus, name);
    assert.equal(documents.length, kept.documents);
    assert.deepEqual(
      [...corpus.keptHashes(name)],
      documents.map(({ contentHash }) => contentHash),
    );
  }
  assert.deepEqual(corpus.summary.parts, { cleaned: 0, cached: 3 });
});

test("a masked secret is in no file of the folder", async () => {
  for (const path of globSync("**/*", { cwd: join(root, "out") })) {
    const full = join(root, "out", path);
    if (statSync(full).isFile()) assert.ok(!readFileSync(full).includes("doe.4711"), path);
  }
  // Parquet is compressed: what can be read back counts too.
  await using corpus = await clean("out");
  const kept = await keptOf(corpus, "news");
  assert.match(kept.find(({ id }) => id === "mail")?.text ?? "", /Write to \[email\] at once/);
});

test("the number of threads changes nothing", async () => {
  await using two = await clean("out");
  await using one = await clean("one", { threads: 1 });
  assert.deepEqual(one.summary.sources, two.summary.sources);
  assert.deepEqual(one.summary.examples, two.summary.examples);
  assert.deepEqual(await keptOf(one, "news"), await keptOf(two, "news"));
  assert.deepEqual(one.keysOf("news"), two.keysOf("news"));
});

test("a changed part is made again, the others are not", async () => {
  const folder = join(root, "changing");
  const changing = sourcesIn(folder);
  await (await clean("out-changing", { sources: changing }))[Symbol.asyncDispose]();
  writeFileSync(join(folder, "books.jsonl"), jsonl(bookRows.slice(1)));
  await using corpus = await clean("out-changing", { sources: changing });
  assert.deepEqual(corpus.summary.parts, { cleaned: 1, cached: 2 });
  assert.equal(corpus.summary.sources[1]?.read.documents, bookRows.length - 1);
  const parts = readdirSync(join(root, "out-changing", "parts"));
  assert.equal(parts.length, 6, `files of old parts go: ${parts}`);
});

test("torn files are found and made again", async () => {
  const parts = join(root, "one", "parts");
  const torn = readdirSync(parts).find((name) => name.endsWith(".parquet")) ?? "";
  truncateSync(join(parts, torn), statSync(join(parts, torn)).size - 7);
  truncateSync(join(root, "one", "verdicts.parquet"), 100);
  await using corpus = await clean("one");
  assert.deepEqual(corpus.summary.parts, { cleaned: 1, cached: 2 });
  await using sound = await clean("out");
  assert.deepEqual(await keptOf(corpus, "news"), await keptOf(sound, "news"));
});

test("a damaged gzip fails with its name, and finished parts stay", async () => {
  const folder = join(root, "broken");
  const broken = sourcesIn(folder);
  const path = join(folder, "news_1.jsonl.gz");
  const whole = readFileSync(path);
  // The smallest part comes last: by then the others are finished.
  writeFileSync(
    path,
    Uint8Array.from(whole, (byte, i) => (i === whole.length >> 1 ? byte ^ 255 : byte)),
  );
  await assert.rejects(clean("out-broken", { sources: broken, threads: 1 }), (error: Error) => {
    assert.equal((error as { code?: string }).code, "DATA");
    assert.match(error.message, /news_1\.jsonl\.gz/);
    assert.doesNotMatch(error.message, /\n/);
    return true;
  });
  writeFileSync(path, whole);
  await using corpus = await clean("out-broken", { sources: broken });
  assert.deepEqual(corpus.summary.parts, { cleaned: 1, cached: 2 });
});

test("an abort stops the workers within a second", async () => {
  const folder = join(root, "large");
  mkdirSync(folder);
  const path = join(folder, "large.jsonl");
  writeFileSync(
    path,
    jsonl(Array.from({ length: 6000 }, (_, i) => ({ id: `${i}`, text: story(i, 60) }))),
  );
  const large = {
    ...(sources[0] as SourceSpec),
    parts: [{ kind: "file", path, name: "large.jsonl", format: "jsonl" } as const],
  };
  const controller = new AbortController();
  let abortedAt = 0;
  const progress = (): void => {
    abortedAt ||= performance.now();
    controller.abort(new Error("stopped by a person"));
  };
  const run = clean("out-large", { sources: [large], signal: controller.signal, progress });
  await assert.rejects(run, /stopped by a person/);
  assert.ok(performance.now() - abortedAt < 1500);
  assert.ok(abortedAt > 0);
});

test("with everything off texts stay as they were read", async () => {
  await using corpus = await clean("off", { rules: cleaningPresets.off });
  const kept = await keptOf(corpus, "news");
  assert.equal(kept.length, newsRows.length);
  assert.match(kept.find(({ id }) => id === "mail")?.text ?? "", /jane\.doe/);
});

test("the reports say what happened, without the secret", () => {
  const folder = join(root, "out");
  const json = JSON.parse(readFileSync(join(folder, "report.json"), "utf8"));
  const rules = new Set(json.examples.map(({ rule }: { rule: string }) => rule));
  for (const rule of ["c4-lorem-ipsum", "exact-duplicate", "language", "mask email"]) {
    assert.ok(rules.has(rule), rule);
  }
  for (const name of ["report.md", "report.html"]) {
    const text = readFileSync(join(folder, name), "utf8");
    assert.match(text, /c4-lorem-ipsum/);
    assert.match(text, /looks like es/);
    assert.doesNotMatch(text, /https?:/, "nothing is loaded from elsewhere");
  }
});

test("inspect finds documents by verdict, rule, source and id", async () => {
  const folder = join(root, "out");
  const ask = (query: object) =>
    inspectCorpus(folder, { sample: 100, seed: 1, offset: 0, ...query });
  const [lorem] = await ask({ rule: "c4-lorem-ipsum" });
  assert.equal(lorem?.id, "lorem");
  const [start, end] = lorem?.highlight ?? [0, 0];
  assert.equal(lorem?.excerpt.slice(start, end), "Lorem ipsum");
  const [copy] = await ask({ id: "copy" });
  assert.deepEqual(copy?.twin, { source: "news", id: "n3" });
  assert.deepEqual(
    (await ask({ verdict: "masked" })).map(({ id }) => id),
    ["mail"],
  );
  assert.equal((await ask({ source: "books", verdict: "kept" })).length, bookRows.length - 1);
  const all = await ask({});
  const pages = [...(await ask({ sample: 40 })), ...(await ask({ sample: 60, offset: 40 }))];
  assert.deepEqual(pages, all.slice(0, 100));
  assert.match(renderInspected([lorem as never], { color: false }), /⟦Lorem ipsum⟧/);
  await assert.rejects(ask({ source: "newz" }), /Did you mean "news"/);
});

test("inspected text cannot steer the terminal", async () => {
  const evil = {
    ...(await inspectCorpus(join(root, "off"), { sample: 1, seed: 1, offset: 0 }))[0],
  };
  const shown = renderInspected([{ ...evil, excerpt: "a\u001b[2Jb", highlight: null } as never], {
    color: false,
  });
  assert.ok(!shown.includes("\u001b"));
});

test("a folder that cannot be written is a DISK error", async () => {
  writeFileSync(join(root, "a file"), "");
  await assert.rejects(clean(join("a file", "out")), { code: "DISK" });
});
