/**
 * Whether an answer in words or digits is the right one: what differs only in spelling out (case,
 * punctuation, articles, thousands separators, a full stop) is the same answer.
 */
import { numbersIn } from "../tasks/grade.ts";

/**
 * @returns lower case, without punctuation and articles, single spaces; an answer of nothing but an
 *   article or punctuation stays
 * @see Rajpurkar et al. 2016 (SQuAD), whose exact match does the same
 */
function normaliseAnswer(text: string): string {
  const words = text.toLowerCase();
  const plain = squeeze(words.replace(/[\p{P}\p{S}]/gu, " "));
  return squeeze(plain.replace(/\b(?:a|an|the)\b/g, " ")) || plain || squeeze(words);
}

function squeeze(text: string): string {
  return text.replace(/\s+/g, " ").trim();
}

/** Whether the reply is one of the answers, nothing more and nothing less. */
export function isExactMatch(reply: string, answers: readonly string[]): boolean {
  const said = normaliseAnswer(reply);
  return said !== "" && answers.some((answer) => normaliseAnswer(answer) === said);
}

/** Whether the last number of the reply is that of the answer, by value: 1,000 is 1000.0. */
export function hasNumber(reply: string, answer: string): boolean {
  const right = lastNumber(answer);
  return right !== undefined && lastNumber(reply) === right;
}

/** @returns as a plain decimal: "-1234.5" */
function lastNumber(text: string): string | undefined {
  const [whole, decimals = ""] = numbersIn(text).at(-1)?.split(".") ?? [];
  if (whole === undefined) return undefined;
  const [sign, digits] = whole.startsWith("-") ? ["-", whole.slice(1)] : ["", whole];
  const fraction = decimals.replace(/0+$/, "");
  const size = `${digits.replace(/^0+(?=\d)/, "")}${fraction === "" ? "" : `.${fraction}`}`;
  return size === "0" ? size : sign + size;
}
