/**
 * The configuration that a stage's command was asked for: preset, then a JSON file, then flags; or,
 * with --resume, that of the run in --out.
 */
import { readFileSync } from "node:fs";
import { NutshellError } from "../../error.ts";
import type { Preset, Presets } from "../../llm/run/preset.ts";
import { findResumePoint, removeRun } from "../../llm/run/resume.node.ts";
import type { Talk } from "../../llm/run/talk.ts";
import {
  type Option,
  type OptionLayer,
  type OptionTableFor,
  resolveOptions,
} from "../../options.ts";

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

/** The row of --preset. @param value taken where the flag is absent */
export function presetRow<Name extends string>(
  presets: Presets<Name, unknown>,
  value: Name,
): Option<Name> & { readonly type: "string"; readonly choices: readonly Name[] } {
  const choices = Object.keys(presets) as Name[];
  const doc = choices.map((name) => `${name}: ${presets[name].doc}`).join("; ");
  return { type: "string", value, choices, doc };
}

/** A stage's command line. */
export interface StageRequest<C> {
  /** The command's name, for errors. */
  readonly command: string;
  readonly table: OptionTableFor<C>;
  readonly preset: Preset<C> & { readonly name: string };
  /** What was written: flags of the stage, and those that every stage's command has. */
  readonly given: Partial<C & StageFlags & { preset: string }>;
}

/**
 * Removes the run in `out` first where --fresh asks for it.
 * @throws USAGE, CONFIG, CHECKPOINT
 */
export async function readStageValues<C extends { out: string }>(
  { command, table, preset, given }: StageRequest<C>,
  talk: Talk,
): Promise<C> {
  const { preset: _, config: file, resume = false, fresh = false, ...flags } = given;
  if (resume && fresh)
    throw new NutshellError("USAGE", `${command}: takes --resume or --fresh, got both. Drop one.`);
  const rows = table as never;
  const layers: OptionLayer[] = [
    { from: `preset ${preset.name}`, values: preset.values },
    ...(file === undefined ? [] : [{ from: file, values: readConfigFile(file) }]),
    { from: "flags", values: flags },
  ];
  const asked = resolveOptions(rows, ...layers) as C;
  if (fresh) removeRun(asked.out);
  if (!resume) return asked;
  const found = await findResumePoint<C>(asked.out, talk);
  if (found === undefined)
    throw new NutshellError(
      "CHECKPOINT",
      `${asked.out}: --resume needs a run with a checkpoint, got none. Check --out, or drop --resume.`,
    );
  const stored = { from: `${asked.out} as it was started`, values: { ...found.config } };
  return resolveOptions(rows, stored, { from: "flags", values: flags }) as C;
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
