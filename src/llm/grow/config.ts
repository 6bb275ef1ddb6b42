/**
 * The dials of `nutshell grow`. Everything else of a stage comes from its own preset of the same
 * name; to change more, run the stage by its own command.
 */
import type { BackendChoice } from "../../compute/backends/choose.node.ts";
import { inRange, type OptionTableFor } from "../../options.ts";
import type { PresetName } from "../run/preset.ts";
import { stageOptions } from "../run/stage-options.ts";
import { type StepName, stepNames } from "./state.node.ts";

export interface GrowConfig {
  preset: string;
  out: string;
  data: string | undefined;
  from: StepName | "auto";
  seed: number;
  backend: BackendChoice;
  threads: number | undefined;
}

const DEPTH = /^depth=(\d{1,3})$/;

export const growOptions: OptionTableFor<GrowConfig> = {
  preset: {
    type: "string",
    value: "tiny",
    placeholder: "tiny|kernel|laptop|depth=N",
    doc:
      "tiny: minutes on two cores; kernel: an hour, the model that ships; laptop: hours; " +
      "depth=N: laptop with N layers.",
    check: (value) =>
      isSize(value) || depthOf(value) !== undefined
        ? undefined
        : "must be tiny, kernel, laptop or depth=N with N from 1 to 128",
  },
  out: {
    type: "string",
    value: "runs/out/tiny",
    placeholder: "DIR",
    doc: "Folder of all stages and the report.",
  },
  data: {
    type: "string?",
    value: undefined,
    placeholder: "PATH",
    doc: "Text to pretrain on; absent: ../shared/data/pretrain, else the built-in mixture.",
  },
  from: {
    type: "string",
    value: "auto",
    choices: ["auto", ...stepNames],
    doc: "Do this stage and those after it again; auto: go on where the last start stopped.",
  },
  seed: { ...stageOptions.seed, check: inRange(0, 2 ** 32 - 1) },
  backend: stageOptions.backend,
  threads: stageOptions.threads,
};

const sizes: readonly string[] = ["tiny", "kernel", "laptop"] satisfies PresetName[];

function isSize(preset: string): preset is PresetName {
  return sizes.includes(preset);
}

/** @returns the presets that a stage goes by */
export function sizeOf(preset: string): PresetName {
  return isSize(preset) ? preset : "laptop";
}

/** @returns N of "depth=N", from 1 to 128 */
export function depthOf(preset: string): number | undefined {
  const depth = Number(DEPTH.exec(preset)?.[1] ?? 0);
  return depth >= 1 && depth <= 128 ? depth : undefined;
}
