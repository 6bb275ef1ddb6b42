/**
 * Sums that a text marks become calls of the calculator. Two files mark them: GSM8K writes
 * `48/2 = <<48/2=24>>24`, Toolformer rows write `It is python('48/2').`. A mark becomes a call only
 * when the calculator gives what the text goes on with, so that every result in a conversation is
 * the tool's own; any other mark is taken out.
 */
import type { Message } from "../chat/conversation.ts";
import { calculator } from "../chat/tools/calculator.ts";
import type { Converted } from "./conversation-shapes.ts";
import { callTool, plainContext } from "./define-task.ts";

type Row = Readonly<Record<string, unknown>>;

const MARK = /<<([^<>]*)>>/;
const FINAL_LINE = /\n?#### *(\S.*)$/;

/**
 * `{question, answer}` of GSM8K (Cobbe et al. 2021): the steps with calls between, `Answer: N` as
 * the last line.
 */
export function fromGsm8k({ question, answer }: Row): Converted {
  if (typeof question !== "string" || typeof answer !== "string") return undefined;
  if (!FINAL_LINE.test(answer)) return "no final answer";
  const steps = answer.replace(FINAL_LINE, (_, number) => `\nAnswer: ${plainNumber(number)}`);
  return [{ role: "user", content: question }, ...toTurns(steps)];
}

/** @returns 1,000 as 1000 */
export function plainNumber(text: string): string {
  return text.trim().replaceAll(",", "");
}

/** A turn ends with its call; the next one goes on with the text behind the mark. */
function toTurns(steps: string): Message[] {
  const turns: Message[] = [];
  let open = "";
  let rest = steps;
  for (let mark = MARK.exec(rest); mark !== null; mark = MARK.exec(rest)) {
    open += rest.slice(0, mark.index);
    rest = rest.slice(mark.index + mark[0].length);
    const call = tryCall(mark[1] as string);
    if (call === undefined) continue;
    turns.push({ ...call[0], content: open.trim() }, call[1]);
    open = "";
  }
  return [...turns, { role: "assistant", content: open + rest }];
}

/** @param mark `48/2=24` */
function tryCall(mark: string): ReturnType<typeof callTool> | undefined {
  const equals = mark.lastIndexOf("=");
  const expression = mark.slice(0, Math.max(0, equals)).trim();
  const call = callTool("calculator", { expression }, plainContext);
  const isSame = call[1].content === String(Number(mark.slice(equals + 1)));
  return isSame && /[-+*/]/.test(expression.slice(1)) ? call : undefined;
}

const INLINE_CALL = /\b(?:python|wolfram)\((["'])(.*?)\1\)/s;
const ANY_CALL = /\b(?:python|wolfram|wikipedia|search|weather|shell|request|news)\(/g;
const HEADER = /^toolformer: enabled\ntoolformer access: [^\n]*\n.*?\n\w+\([^\n]*\)\n/s;

/** `{instruction, input, response}` of Toolformer rows; only sums can be computed here. */
export function fromToolformer({ instruction, input, response }: Row): Converted {
  if (typeof instruction !== "string" || typeof response !== "string") return undefined;
  const call = INLINE_CALL.exec(response);
  if (call === null) return "no call of python or wolfram";
  if ((response.match(ANY_CALL) ?? []).length > 1) return "several calls";
  const expression = toExpression(call[2] as string);
  if (calculator.run({ expression }, plainContext).startsWith("error")) return "no plain sum";
  const turns = callTool("calculator", { expression }, plainContext);
  const question = [instruction.replace(HEADER, ""), input].filter((text) => text).join("\n\n");
  const answer = response.replace(call[0], () => turns[1].content);
  return [{ role: "user", content: question }, ...turns, { role: "assistant", content: answer }];
}

/** `print(3**2)` of Python as the calculator reads it: `3^2`. */
function toExpression(code: string): string {
  const printed = /^print\((.*)\)$/s.exec(code.trim());
  return (printed?.[1] ?? code).replaceAll("**", "^").trim();
}
