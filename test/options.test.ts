/** Option tables: command lines and layers against rules written out by hand. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type ErrorCode, NutshellError } from "../src/error.ts";
import {
  flagOf,
  inRange,
  type OptionTableFor,
  parseOptions,
  positive,
  resolveOptions,
} from "../src/options.ts";

interface Config {
  nLayer: number;
  lr: number | undefined;
  batch: number | undefined;
  schedule: "cosine" | "trapezoid";
  out: string;
  resume: string | undefined;
  shuffle: boolean;
}

const table: OptionTableFor<Config> = {
  nLayer: { type: "integer", value: 4, doc: "Layers.", check: inRange(1, 128) },
  lr: { type: "number?", value: undefined, doc: "Learning rate.", check: positive },
  batch: { type: "integer?", value: 16, doc: "Batch." },
  schedule: {
    type: "string",
    value: "cosine",
    choices: ["cosine", "trapezoid"],
    doc: "Schedule.",
  },
  out: { type: "string", value: "runs/out", flag: "to", doc: "Folder." },
  resume: { type: "string?", value: undefined, doc: "Folder to go on from." },
  shuffle: { type: "boolean", value: true, doc: "Shuffle." },
};

function throwsCode(code: ErrorCode, pattern: RegExp, run: () => unknown): void {
  assert.throws(run, (error: unknown) => {
    assert.ok(error instanceof NutshellError);
    assert.equal(error.code, code);
    assert.match(error.message, pattern);
    assert.doesNotMatch(error.message, /\n/);
    return true;
  });
}

test("flags are read in every spelling, words between them are kept", () => {
  const argv = ["one", "--n-layer=6", "--lr", "3e-4", "--to", "x y", "--no-shuffle", "--", "--two"];
  assert.deepEqual(parseOptions(table, argv), {
    given: { nLayer: 6, lr: 3e-4, out: "x y", shuffle: false },
    positionals: ["one", "--two"],
  });
});

test("numbers may carry underscores, exponents and a minus; auto means absent", () => {
  const given = (...argv: string[]) => parseOptions(table, argv).given;
  assert.deepEqual(given("--batch", "1_024"), { batch: 1024 });
  assert.deepEqual(given("--batch", "-3"), { batch: -3 });
  assert.deepEqual(given("--batch", "2e3"), { batch: 2000 });
  assert.deepEqual(given("--batch", "auto"), { batch: undefined });
  assert.deepEqual(given("--resume", "auto"), { resume: "auto" });
});

const badLines: readonly [argv: readonly string[], message: RegExp][] = [
  [["--n-layers", "3"], /^--n-layers: unknown flag\. Did you mean "--n-layer"\?$/],
  [["--nLayer", "3"], /^--nLayer: unknown flag\. Did you mean "--n-layer"\?$/],
  [["--frobnicate"], /^--frobnicate: unknown flag\. Known: --n-layer, /],
  [["--lr"], /^--lr: needs a value, got none\. Write --lr NUMBER\.$/],
  [["--lr", "--no-shuffle"], /^--lr: needs a value, got none/],
  [["--lr", "fast"], /^--lr must be a number, got "fast"\. Learning rate\.$/],
  [["--lr", "-1"], /^--lr must be greater than 0, got -1/],
  [["--lr", "Infinity"], /^--lr must be finite/],
  [["--lr", ""], /^--lr must be a number, got ""/],
  [["--n-layer", "auto"], /^--n-layer must be an integer, got "auto"/],
  [["--n-layer", "2.5"], /^--n-layer must be a whole number, got 2\.5/],
  [["--n-layer", "129"], /^--n-layer must be between 1 and 128, got 129/],
  [["--schedule", "linear"], /^--schedule must be one of cosine, trapezoid, got "linear"/],
  [["--shuffle=maybe"], /^--shuffle: takes no value, got "maybe"/],
  [["--no-shuffle=true"], /^--no-shuffle: takes no value/],
];

for (const [argv, message] of badLines) {
  test(`refused on the command line: ${argv.join(" ")}`, () => {
    throwsCode("USAGE", message, () => parseOptions(table, argv));
  });
}

test("layers apply in order: default, preset, file, flag", () => {
  const preset = { from: "preset tiny", values: { nLayer: 2, lr: 1e-3, batch: 8 } };
  const file = { from: "run.json", values: { lr: 2e-3, batch: null } };
  const flags = { from: "flags", values: parseOptions(table, ["--n-layer", "3"]).given };
  const values: Config = resolveOptions(table, preset, file, flags);
  assert.deepEqual(values, {
    nLayer: 3,
    lr: 2e-3,
    batch: undefined,
    schedule: "cosine",
    out: "runs/out",
    resume: undefined,
    shuffle: true,
  });
});

const badLayers: readonly [values: Record<string, unknown>, message: RegExp][] = [
  [{ nlayer: 3 }, /^run\.json: unknown key "nlayer"\. Did you mean "nLayer"\?$/],
  [{ toString: 3 }, /^run\.json: unknown key "toString"\./],
  [{ nLayer: "3" }, /^run\.json: nLayer must be an integer, got "3"\. Layers\.$/],
  [{ nLayer: null }, /^run\.json: nLayer must be an integer, got null/],
  [{ shuffle: 1 }, /^run\.json: shuffle must be a boolean, got 1/],
  [{ schedule: "linear" }, /^run\.json: schedule must be one of cosine, trapezoid/],
];

for (const [values, message] of badLayers) {
  test(`refused in a file: ${JSON.stringify(values)}`, () => {
    throwsCode("CONFIG", message, () => resolveOptions(table, { from: "run.json", values }));
  });
}

test("any values survive being written as flags and read back", () => {
  const values = {
    nLayer: fc.integer({ min: 1, max: 128 }),
    lr: fc.option(fc.double({ min: 1e-9, max: 10, noNaN: true }), { nil: undefined }),
    batch: fc.option(fc.integer(), { nil: undefined }),
    schedule: fc.constantFrom<Config["schedule"]>("cosine", "trapezoid"),
    out: fc.string(),
    resume: fc.string(),
    shuffle: fc.boolean(),
  };
  const configs: fc.Arbitrary<Config> = fc.record(values, { noNullPrototype: true });
  const write = (config: Config): string[] =>
    Object.entries(table).map(([key, row]) => {
      const value = config[key as keyof Config];
      if (row.type === "boolean") return `--${value === true ? "" : "no-"}${flagOf(key, row)}`;
      return `--${flagOf(key, row)}=${value ?? "auto"}`;
    });
  fc.assert(
    fc.property(configs, (config) => {
      const { given } = parseOptions(table, write(config));
      assert.deepEqual(resolveOptions(table, { from: "flags", values: given }), config);
    }),
  );
});
