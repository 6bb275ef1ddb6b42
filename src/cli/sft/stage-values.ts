/**
 * The configuration that a stage's command was asked for: preset, then a JSON file, then flags; or,
 * with --resume, that of the run in --out.
 */
import { readFileSync } from "node:fs";
import { NutshellError } from "../../error.ts";
import { findResumePoint, removeRun } from "../../llm/run/resume.node.ts";
import type { Talk } from "../../llm/run/talk.ts";
import { type OptionLayer, type OptionTableFor, resolveOptions } from "../../options.ts";

/** Flags of every stage's command beside its configuration. */
export interface StageFlags {
  config: string | undefined;
  resume: boolean;
  fresh: boolean;
}

export const stageFlags: OptionTableFor<StageFlags> = {
  config: {
    type: "string?",
    value: undefined,
    placeholder: "FILE",
    doc: "JSON with any of the keys below; goes over the preset, under the flags.",
  },
  resume: {
    type: "boolean",
    value: false,
    doc: "Go on with the run in --out, by its own configuration. A run of the same configuration is resumed without this.",
  },
  fresh: { type: "boolean", value: false, doc: "Remove the run in --out and start over." },
};

/** What a stage's command line came to. */
export interface StageRequest<C> {
  /** The command's name, for errors. */
  readonly command: string;
  readonly table: OptionTableFor<C>;
  readonly preset: OptionLayer;
  readonly file: string | undefined;
  readonly resume: boolean;
  readonly fresh: boolean;
  /** Keys of the configuration that were written as flags. */
  readonly flags: Partial<C>;
}

/**
 * Removes the run in `out` first where --fresh asks for it.
 * @throws USAGE, CONFIG, CHECKPOINT
 */
export async function readStageValues<C extends { out: string }>(
  { command, table, preset, file, resume, fresh, flags }: StageRequest<C>,
  talk: Talk,
): Promise<C> {
  if (resume && fresh)
    throw new NutshellError("USAGE", `${command}: takes --resume or --fresh, got both. Drop one.`);
  const rows = table as never;
  const own: OptionLayer = { from: "flags", values: flags };
  const files = file === undefined ? [] : [{ from: file, values: readConfigFile(file) }];
  const asked = resolveOptions(rows, preset, ...files, own) as C;
  if (fresh) removeRun(asked.out);
  if (!resume) return asked;
  const found = await findResumePoint<C>(asked.out, talk);
  if (found === undefined)
    throw new NutshellError(
      "CHECKPOINT",
      `${asked.out}: --resume needs a run with a checkpoint, got none. Check --out, or drop --resume.`,
    );
  const stored = { from: `${asked.out} as it was started`, values: { ...found.config } };
  return resolveOptions(rows, stored, own) as C;
}

/** @throws CONFIG when the file is not a JSON object */
function readConfigFile(file: string): Record<string, unknown> {
  const value = tryParse(file);
  if (typeof value === "object" && value !== null && !Array.isArray(value))
    return value as Record<string, unknown>;
  throw new NutshellError(
    "CONFIG",
    `${file}: a configuration must be a JSON object, got ${JSON.stringify(value)}. Check --config.`,
  );
}

function tryParse(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch (cause) {
    throw new NutshellError(
      "CONFIG",
      `${file}: a configuration must be readable JSON, got ${(cause as Error).message}. ` +
        "Check --config.",
      { cause },
    );
  }
}
