/**
 * An oracle's plan for a task, derived from its ground truth and written in the plan language. Where
 * each argument comes from is inferred by `value-origin.ts`: the user's prompt, an argument of an
 * earlier call (the same variable again), an earlier result (the quarantined model is asked for it
 * there), or the planner's own head.
 *
 * The plan is straight: a condition in the prompt ("if so, …") is not in the ground truth, and so
 * not in the plan.
 */
import type { Json } from "../../src/os/security/labelled.ts";
import { toPlanName } from "./plan-names.ts";
import type { JsonObject, RecordedCall, ToolSpec, UserTask } from "./suite-format.ts";
import { originOf } from "./value-origin.ts";

export interface OraclePlan {
  readonly text: string;
  /** What an honest quarantined model says, by question. */
  readonly answers: ReadonlyMap<string, Json>;
}

interface Writer {
  readonly prompt: string;
  readonly lines: string[];
  readonly answers: Map<string, Json>;
  /** Results so far. */
  readonly earlier: string[];
  /** By value, how an earlier call wrote it. */
  readonly written: Map<string, string>;
  /** Literals that the planner wrote. */
  readonly literals: string[];
}

interface CallPlace {
  readonly number: number;
  readonly call: RecordedCall;
  readonly schema: string;
}

export function oraclePlan(task: UserTask, tools: readonly ToolSpec[]): OraclePlan {
  if (task.plan !== undefined) {
    return { text: task.plan, answers: new Map(Object.entries(task.answers ?? {})) };
  }
  const writer: Writer = {
    ...{ prompt: task.prompt, lines: [], answers: new Map(), earlier: [] },
    ...{ written: new Map(), literals: [] },
  };
  for (const [i, call] of task.calls.entries()) writeCall(writer, i + 1, call, tools);
  const results = task.calls.map((_, i) => `r${i + 1}`);
  const text = [...writer.lines, `return [${results.join(", ")}];`].join("\n");
  return { text, answers: writer.answers };
}

function writeCall(
  writer: Writer,
  number: number,
  call: RecordedCall,
  tools: readonly ToolSpec[],
): void {
  const tool = tools.find(({ name }) => name === call.function);
  const place = { number, call, schema: JSON.stringify(tool?.parameters ?? {}) };
  const args = write(writer, place, call.args, "");
  writer.lines.push(`const r${number} = await ${toPlanName(call.function)}(${args});`);
  writer.earlier.push(call.result);
}

function write(writer: Writer, place: CallPlace, value: Json, at: string): string {
  if (Array.isArray(value)) {
    return `[${value.map((part, i) => write(writer, place, part, `${at}/${i}`)).join(", ")}]`;
  }
  if (typeof value !== "object" || value === null) return writeScalar(writer, place, value, at);
  const fields = Object.entries(value as JsonObject).map(([key, part]) => {
    return `${JSON.stringify(key)}: ${write(writer, place, part, `${at}/${key}`)}`;
  });
  return `{ ${fields.join(", ")} }`;
}

function writeScalar(writer: Writer, place: CallPlace, value: Json, at: string): string {
  if (typeof value !== "string" && typeof value !== "number") return JSON.stringify(value);
  const known = writer.written.get(JSON.stringify(value));
  if (known !== undefined) return known;
  const isDynamic = place.call.dynamic.includes(at.split("/")[1] ?? "");
  const origin = originOf(String(value), { ...writer, schema: place.schema, isDynamic });
  const text = origin.length === 0 ? JSON.stringify(value) : ask(writer, place, value, at, origin);
  if (origin.length === 0) writer.literals.push(String(value));
  writer.written.set(JSON.stringify(value), text);
  return text;
}

/** Asks for the value in the results that it flows from. */
function ask(
  writer: Writer,
  { number }: CallPlace,
  value: string | number,
  at: string,
  origin: readonly number[],
): string {
  const name = `a${writer.answers.size + 1}`;
  const question = `call ${number}, argument ${at}`;
  writer.answers.set(question, String(value));
  const type = `Str(${Math.max(200, 2 * String(value).length)})`;
  const about = origin.map((i) => `r${i + 1}`).join(", ");
  writer.lines.push(`const ${name} = await q(${type}, ${JSON.stringify(question)}, ${about});`);
  return typeof value === "number" ? `Number(${name})` : name;
}
