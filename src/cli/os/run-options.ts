/** Flags of `run` and `sh`: what a process gets to work with. */
import { resolve } from "node:path";
import { NutshellError } from "../../error.ts";
import { suggestName } from "../../nearest-name.ts";
import { inRange, type OptionTableFor } from "../../options.ts";
import { type PlannerMode, plannerModes } from "../../os/apps/manifest.ts";
import type { Budget } from "../../os/kernel/process.ts";
import type { RunRequest } from "../../os/system.ts";
import { type HomeValues, homeOption } from "./home.ts";

export interface RunValues extends HomeValues {
  app: string | undefined;
  mode: string | undefined;
  workspace: string | undefined;
  budget: string | undefined;
  nice: number;
  approvals: boolean;
  owner: string;
}

export const runOptions: OptionTableFor<RunValues> = {
  ...homeOption,
  app: {
    type: "string?",
    value: undefined,
    doc: "An app's name or folder; absent = the assistant.",
  },
  mode: {
    type: "string?",
    value: undefined,
    doc: "How it plans; absent = as the app says.",
    choices: plannerModes,
  },
  workspace: {
    type: "string?",
    value: undefined,
    placeholder: "DIR",
    doc: "A folder that it may read and write; absent = an empty one of its own.",
  },
  budget: {
    type: "string?",
    value: undefined,
    placeholder: "LIST",
    doc: "tokens=5000,usd=0.5,calls=100,minutes=10,bits=16: any of them.",
  },
  nice: {
    type: "integer",
    value: 0,
    doc: "-20 (much of the model's time) to 19 (little).",
    check: inRange(-20, 19),
  },
  approvals: { type: "boolean", value: true, doc: "Nobody is asked; what needs a yes fails." },
  owner: { type: "string", value: "me", doc: "For whom it works, as labels name the reader." },
};

/** @throws USAGE */
export function toRunRequest(values: RunValues): RunRequest {
  const { app, mode, workspace, budget, nice, approvals, owner } = values;
  return {
    owner,
    nice,
    approvals: approvals ? "wait" : "deny",
    ...(app !== undefined && { app }),
    ...(mode !== undefined && { mode: mode as PlannerMode }),
    ...(workspace !== undefined && { workspace: resolve(workspace) }),
    ...(budget !== undefined && { budget: parseBudget(budget) }),
  };
}

const amounts: Readonly<Record<string, (amount: number) => Budget>> = {
  tokens: (tokens) => ({ tokens }),
  usd: (usd) => ({ microUsd: Math.round(usd * 1e6) }),
  calls: (calls) => ({ calls }),
  minutes: (minutes) => ({ ms: Math.round(minutes * 60_000) }),
  bits: (influenceBits) => ({ influenceBits }),
};

export function parseBudget(text: string): Budget {
  return Object.assign({}, ...text.split(",").map(parseAmount));
}

function parseAmount(pair: string): Budget {
  const [name = "", value = "", ...rest] = pair.split("=").map((word) => word.trim());
  const amount = Object.hasOwn(amounts, name) ? amounts[name] : undefined;
  if (amount === undefined) {
    const hint = suggestName(name, Object.keys(amounts));
    throw new NutshellError("USAGE", `--budget: unknown limit "${name}". ${hint}`);
  }
  const number = Number(value);
  if (value !== "" && rest.length === 0 && number >= 0 && Number.isFinite(number))
    return amount(number);
  throw new NutshellError("USAGE", `--budget: ${name} must be a number, got "${value}".`);
}
