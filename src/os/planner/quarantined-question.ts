/** The tool `ask` of mode "handles": a typed question about values that the planner cannot read. */
import type { ToolDefinition } from "../../llm/inference/engine.ts";
import type { CallErrorCode } from "../kernel/syscall.ts";
import { type AnswerType, capacity } from "../plan/question.ts";
import { join } from "../security/label.ts";
import { type Json, type Labelled, labelled, wholeLabel } from "../security/labelled.ts";
import { fieldOf } from "./agent-input.ts";
import { labelOfOutcome } from "./agent-window.ts";
import { type HandlesRun, keep, type Shown, told } from "./handles-run.ts";
import { showValue } from "./planner-tools.ts";

const text = { type: "string" };
const whole = { type: "integer" };

export const askTool: ToolDefinition = {
  name: "ask",
  description:
    "Asks a model that reads the handles a question. Answers of type bool, int (least, most), enum " +
    "(names) and date are shown; text (most characters) and element (of the list about[0]) become " +
    "handles. Type status needs no model: whether the call behind about[0] went well.",
  parameters: {
    type: "object",
    properties: {
      type: { enum: ["bool", "int", "enum", "date", "text", "element", "status"] },
      question: text,
      about: { type: "array", items: text, description: 'Handles, as in ["$1.text"].' },
      least: whole,
      most: whole,
      names: { type: "array", items: text },
    },
    required: ["type", "question", "about"],
    additionalProperties: false,
  },
};

interface Asked {
  readonly type: string;
  readonly question: string;
  readonly about: readonly string[];
  readonly least?: number;
  readonly most?: number;
  readonly names?: readonly string[];
}

const MOST_TEXT = 4000;

export async function ask(run: HandlesRun, json: string): Promise<Shown> {
  const fail = (rule: string): Shown => ({ text: `error: ask ${rule}`, label: run.seen });
  const asked = tryAsked(json);
  if (asked === undefined) return fail("needs type, question and about");
  const about = asked.about.map((reference) => run.handles.find(reference));
  if (!about.every((one) => one !== undefined)) return fail("must be about handles that there are");
  const [list] = about;
  if (asked.type === "status" && list !== undefined) return statusOf(run, list);
  const type = toType(asked, list?.value);
  if (type === undefined) return fail("needs least and most, names, or a list, as its type says");
  const id = `handles:${run.scene.sys.pid}/${++run.told}`;
  const args = toArgs(run, { id, type, asked, about });
  const outcome = await run.scene.sys.call("llm.ask", args, run.seen);
  const label = { ...labelOfOutcome(outcome), influence: new Map([[id, capacity(type)]]) };
  if (outcome.status !== "ok") return { text: "no answer", label };
  if (type.kind === "str") return keep(run, outcome.value);
  if (type.kind !== "ref") return { text: showValue(outcome.value.value), label };
  const element = run.handles.find(`${asked.about[0]}[${outcome.value.value}]`);
  if (element === undefined) return { text: "no answer", label };
  const labels = { ...element.labels, label: join(element.labels.label, label) };
  return keep(run, { value: element.value, labels });
}

const codes: readonly CallErrorCode[] = [
  ...(["NO_CALL", "ARGUMENTS", "CAPABILITY", "POLICY", "APPROVAL", "BUDGET"] as const),
  ...(["INTERRUPTED", "TIMEOUT", "NO_PROCESS", "DEADLOCK", "DEVICE"] as const),
];
/** Which code, that it is none of them, or that all went well. */
const BITS_OF_STATUS = Math.log2(codes.length + 2);

/** A value could be made to look like a failure: it may say one of these words, and no other. */
function statusOf(run: HandlesRun, { value, labels }: Labelled): Shown {
  const failure = fieldOf(value, "failure");
  const code = codes.find((one) => one === fieldOf(failure ?? null, "code"));
  const text = failure === undefined ? "ok" : `error: ${code ?? "UNKNOWN"}`;
  return { text, label: told(run, wholeLabel(labels), BITS_OF_STATUS) };
}

function tryAsked(json: string): Asked | undefined {
  try {
    const asked = JSON.parse(json) as Json;
    const about = fieldOf(asked, "about");
    const isFine = typeof fieldOf(asked, "question") === "string" && Array.isArray(about);
    return isFine && (about as Json[]).every((one) => typeof one === "string")
      ? (asked as unknown as Asked)
      : undefined;
  } catch {
    return undefined;
  }
}

function toType(
  { type, least, most, names }: Asked,
  list: Json | undefined,
): AnswerType | undefined {
  if (type === "bool" || type === "date") return { kind: type };
  if (type === "text") return { kind: "str", most: Math.min(most ?? MOST_TEXT, MOST_TEXT) };
  if (type === "element")
    return Array.isArray(list) && list.length > 0 ? { kind: "ref", count: list.length } : undefined;
  if (type === "enum")
    return Array.isArray(names) && names.length > 0 ? { kind: "enum", names } : undefined;
  const isRange = Number.isSafeInteger(least) && Number.isSafeInteger(most);
  if (type !== "int" || !isRange || (least as number) > (most as number)) return undefined;
  return { kind: "int", least: least as number, most: most as number };
}

interface Question {
  readonly id: string;
  readonly type: AnswerType;
  readonly asked: Asked;
  readonly about: readonly Labelled[];
}

function toArgs(run: HandlesRun, { id, type, asked, about }: Question): Labelled {
  const [list] = about;
  const isRef = type.kind === "ref" && list !== undefined;
  const values = about.map(({ value }) => value);
  const value = {
    ...{ id, type: type as unknown as Json, text: asked.question, about: values },
    ...(isRef ? { choices: list.value } : {}),
  };
  let label = run.seen;
  for (const one of about) label = join(label, wholeLabel(one.labels));
  return labelled(value, label);
}
