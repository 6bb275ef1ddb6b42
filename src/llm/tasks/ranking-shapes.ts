/**
 * The usual shapes of preference files, recognised by their keys, first match wins:
 *
 *     own          {prompt, responses, ranking}      ranking: indices or groups of them, best first
 *     ranked       {prompt, ranked: [{text, rank | grade}]}         low ranks, high grades are good
 *     two, a label {prompt, "response 1", "response 2", label}      label 0, 1, or 2 for a tie
 *     pairs        {prompt, chosen, rejected}
 *                  {instruction, input, chosen, rejected}
 *                  {conversations: [{from, value}], chosen: {value}, rejected: {value}}
 *     transcripts  {chosen, rejected}   "\n\nHuman: …\n\nAssistant: …", alike but for their ends
 */
import type { Message } from "../chat/conversation.ts";
import { convertRow, fromFields } from "./conversation-shapes.ts";
import type { RankedPrompt } from "./ranking.ts";

type Row = Readonly<Record<string, unknown>>;

/** A ranking; the reason why a row is left out; undefined: not of this shape. */
export type ConvertedRanking = RankedPrompt | string | undefined;

const shapes: readonly ((row: Row) => ConvertedRanking)[] = [
  fromOwn,
  fromRanked,
  fromLabel,
  fromPair,
  fromTranscripts,
];

export const KNOWN_RANKINGS: string =
  '"prompt" with "responses" and "ranking", "prompt" with "ranked", or "chosen" with "rejected"';

export function convertRanking(row: Row): ConvertedRanking {
  for (const shape of shapes) {
    const converted = shape(row);
    if (converted !== undefined) return converted;
  }
  return undefined;
}

function fromOwn({ prompt, responses, ranking, margins }: Row): ConvertedRanking {
  const messages = toPrompt(prompt);
  if (messages === undefined || !isTexts(responses) || !Array.isArray(ranking)) return undefined;
  const groups = ranking.map((group: number | number[]) => [group].flat());
  if (groups.length < 2) return "all alike";
  const ranked = { prompt: messages, responses, ranking: groups };
  return Array.isArray(margins) ? { ...ranked, margins } : ranked;
}

/** A prompt is text or the messages of a conversation. */
function toPrompt(prompt: unknown): readonly Message[] | undefined {
  if (typeof prompt === "string") return [{ role: "user", content: prompt.trim() }];
  const converted = convertRow({ messages: prompt });
  return typeof converted === "string" ? undefined : converted;
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((text) => typeof text === "string");
}

/** Grades are margins: two grades apart is twice as much better. */
function fromRanked({ prompt, ranked }: Row): ConvertedRanking {
  const messages = toPrompt(prompt);
  if (messages === undefined || !Array.isArray(ranked)) return undefined;
  const answers = ranked as readonly Row[];
  const isGraded = answers.every(({ grade }) => typeof grade === "number");
  if (!isGraded && !answers.every(({ rank }) => typeof rank === "number")) return undefined;
  const values = answers.map(({ grade, rank }) => (isGraded ? Number(grade) : -Number(rank)));
  const levels = [...new Set(values)].sort((a, b) => b - a);
  if (levels.length < 2) return "all alike";
  const ranking = levels.map((level) => values.flatMap((value, i) => (value === level ? [i] : [])));
  const responses = answers.map(({ text }) => String(text ?? "").trim());
  if (!isGraded) return { prompt: messages, responses, ranking };
  const margins = levels.slice(1).map((level, i) => (levels[i] as number) - level);
  return { prompt: messages, responses, ranking, margins };
}

function fromLabel(row: Row): ConvertedRanking {
  const { prompt, "response 1": first, "response 2": second, label } = row;
  const messages = toPrompt(prompt);
  if (messages === undefined || !isTexts([first, second]) || label === undefined) return undefined;
  if (label !== 0 && label !== 1) return "a tie";
  return toPair(messages, [first, second][label], [first, second][1 - label]);
}

function fromPair(row: Row): ConvertedRanking {
  const { chosen, rejected, conversations } = row;
  if (Array.isArray(conversations)) {
    const prompt = convertRow({ conversations });
    if (prompt === undefined || typeof prompt === "string") return prompt;
    return toPair(prompt, (chosen as Row)?.value, (rejected as Row)?.value);
  }
  if (!isTexts([chosen, rejected])) return undefined;
  const [question] = fromFields(row, "instruction", "input", "chosen") ?? [];
  const prompt = typeof question === "object" ? [question] : toPrompt(row.prompt);
  return prompt === undefined ? undefined : toPair(prompt, chosen, rejected);
}

function toPair(prompt: readonly Message[], chosen: unknown, rejected: unknown): ConvertedRanking {
  if (typeof chosen !== "string" || typeof rejected !== "string") return undefined;
  const responses = [chosen.trim(), rejected.trim()];
  if (responses[0] === responses[1]) return "all alike";
  return { prompt, responses, ranking: [[0], [1]] };
}

function fromTranscripts({ chosen, rejected }: Row): ConvertedRanking {
  if (typeof chosen !== "string" || typeof rejected !== "string") return undefined;
  const [better, worse] = [readTranscript(chosen), readTranscript(rejected)];
  if (better === undefined || worse === undefined) return undefined;
  const prompt = better.slice(0, -1);
  const isSame = JSON.stringify(prompt) === JSON.stringify(worse.slice(0, -1));
  if (!isSame) return "two different prompts";
  return toPair(prompt, better.at(-1)?.content, worse.at(-1)?.content);
}

/** @returns the turns; undefined when the text is no transcript that ends with the assistant */
function readTranscript(text: string): Message[] | undefined {
  const turns = text.split(/\n\n(?=Human:|Assistant:)/).filter((turn) => turn.trim() !== "");
  const messages = turns.map((turn): Message => {
    const isUser = turn.startsWith("Human:");
    return {
      role: isUser ? "user" : "assistant",
      content: turn.slice(turn.indexOf(":") + 1).trim(),
    };
  });
  const isMarked = turns.every((turn) => /^(?:Human|Assistant):/.test(turn));
  return isMarked && messages.at(-1)?.role === "assistant" ? messages : undefined;
}
