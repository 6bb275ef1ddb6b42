/**
 * Whether an answer in words or digits is the right one: what differs only in spelling out (case,
 * punctuation, articles, thousands separators, a full stop) is the same answer.
 */

/** Digits with or without separators and decimals, a sign that is not a minus between numbers. */
const NUMBER = /(?<![\d.,])(?:(?<!\d\s*)[-−])?\d[\d,]*(?:\.\d+)?/g;

/**
 * @returns lower case, without punctuation and articles, single spaces; an answer of nothing but an
 *   article or punctuation stays
 * @see Rajpurkar et al. 2016 (SQuAD), whose exact match does the same
 */
export function normaliseAnswer(text: string): string {
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

/** @returns the last number of a text as a plain decimal ("-1234.5"), undefined without one */
export function lastNumber(text: string): string | undefined {
  const last = text.match(NUMBER)?.at(-1);
  return last === undefined ? undefined : plainNumber(last);
}

/** Whether the last number of the reply is that of the answer. */
export function hasNumber(reply: string, answer: string): boolean {
  const right = lastNumber(answer);
  return right !== undefined && lastNumber(reply) === right;
}

function plainNumber(written: string): string {
  const [whole = "0", decimals = ""] = written.replace("−", "-").replaceAll(",", "").split(".");
  const [sign, digits] = whole.startsWith("-") ? ["-", whole.slice(1)] : ["", whole];
  const fraction = decimals.replace(/0+$/, "");
  const size = `${digits.replace(/^0+(?=\d)/, "")}${fraction === "" ? "" : `.${fraction}`}`;
  return size === "0" ? size : sign + size;
}
