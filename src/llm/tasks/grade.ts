/**
 * Graders: what a reply said, read strictly. A grader looks only at the last text of the assistant,
 * which must hold the right answer and nothing that competes with it: an answer named among others
 * is not an answer.
 */
import type { AssistantMessage, Message, ToolCall } from "../chat/conversation.ts";
import type { Problem } from "./task.ts";

/** Longer texts are not answers to problems as short as these. */
const MOST_CHARACTERS = 400;

/** A minus between numbers is an operator, not a sign; every digit belongs to some match. */
const NUMBER = /(?:(?<![\d)])-)?(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.\d+)?/g;

/** @returns the last turn's text; "" when the reply ends with a call or a tool's result */
export function finalText(reply: readonly Message[]): string {
  const last = reply.at(-1);
  if (last?.role !== "assistant" || (last.toolCalls ?? []).length > 0) return "";
  return last.content.length <= MOST_CHARACTERS ? last.content.trim() : "";
}

/** @returns the numbers of a text, signs kept, commas taken out: `-1,872.50` is "-1872.50" */
export function numbersIn(text: string): string[] {
  const plain = text.replaceAll("\u2212", "-");
  return [...plain.matchAll(NUMBER)].map(([number]) => number.replaceAll(",", ""));
}

/** @returns the last number of the final text, which is what a reply claims */
function finalAnswer(reply: readonly Message[]): string | undefined {
  return numbersIn(finalText(reply)).at(-1);
}

/**
 * @param given numbers without sign that the question itself named: an answer may repeat them
 * @returns true when the last number is the answer and there is no other but given ones
 */
export function answersNumber(
  reply: readonly Message[],
  answer: string,
  given: readonly string[],
): boolean {
  if (finalAnswer(reply) !== answer) return false;
  return numbersIn(finalText(reply)).every(
    (number) => number === answer || given.includes(number.replace("-", "")),
  );
}

/**
 * @param rivals other values that would answer a question of this kind
 * @returns true when the final text names the answer, as whole words, and none of its rivals
 */
export function answersWord(
  reply: readonly Message[],
  answer: string,
  rivals: readonly string[],
): boolean {
  const words = toWords(finalText(reply));
  const names = (value: string): boolean => words.includes(toWords(value));
  return names(answer) && !rivals.some((rival) => rival !== answer && names(rival));
}

const ANSWER_LINE = /^(?:(?!Answer:).)*(?<=^|\n)Answer: (\S.*)$/s;

/**
 * @returns what follows the only `Answer: ` of the last turn, which must begin its last line, so
 * that there is one claim and nothing behind it
 */
export function claimedAnswer(reply: readonly Message[]): string | undefined {
  const last = reply.at(-1);
  if (last?.role !== "assistant" || (last.toolCalls ?? []).length > 0) return undefined;
  const claim = ANSWER_LINE.exec(last.content.trimEnd())?.[1];
  return claim?.includes("\n") ? undefined : claim;
}

/** Lower-case words between single spaces, so that only whole words are found. */
export function toWords(text: string): string {
  return ` ${(text.toLowerCase().match(/[\p{L}\p{N}']+/gu) ?? []).join(" ")} `;
}

/** @returns the calls of all turns, in order */
export function toolCallsOf(messages: readonly Message[]): ToolCall[] {
  return messages
    .filter((message): message is AssistantMessage => message.role === "assistant")
    .flatMap(({ toolCalls }) => toolCalls ?? []);
}

/**
 * @returns true when the reply made the calls of the solution and no other: the same tools with the
 * same arguments, white space aside
 */
export function exactToolCall(reply: readonly Message[], problem: Problem): boolean {
  const made = toolCallsOf(reply).map(callText);
  const asked = toolCallsOf(problem.solution).map(callText);
  return made.length === asked.length && made.every((call, i) => call === asked[i]);
}

function callText({ name, arguments: args }: ToolCall): string {
  try {
    return `${name} ${JSON.stringify(JSON.parse(args)).replaceAll(" ", "")}`;
  } catch {
    return `${name} not JSON`;
  }
}
