/**
 * Turns one JSON row into a document. A table of row shapes, tried in order; a shape matches when
 * all of its fields are there. Titles head their text; questions and dialogues become plain lines.
 *
 *     {text, title?}  {question, choices, answer}  {question, answer}  {turns: [{agent, text}]}
 */

import type { Document } from "./document.ts";

type Row = Readonly<Record<string, unknown>>;

interface RowShape {
  readonly fields: Readonly<Record<string, (value: unknown) => boolean>>;
  render(row: Row): string;
}

const isText = (value: unknown): boolean => typeof value === "string" && value.trim() !== "";
const isList = (value: unknown): boolean => Array.isArray(value) && value.length > 0;

const shapes: readonly RowShape[] = [
  { fields: { text: isText }, render: renderArticle },
  {
    fields: { question: isText, choices: isList, answer: Number.isInteger },
    render: ({ question, choices, answer }) =>
      renderAnswer(question, (choices as unknown[])[answer as number]),
  },
  {
    fields: { question: isText, answer: isText },
    render: ({ question, answer }) => renderAnswer(question, answer),
  },
  { fields: { turns: isList }, render: ({ turns }) => renderDialogue(turns as Row[]) },
];

/** The fields that a row must have, for error messages. */
export const ROW_FIELDS = '"text", "question" and "answer", or "turns"';

/**
 * @param fallbackId used when the row has no `id`
 * @returns undefined when the row has no text in any known shape
 */
export function tryRenderRow(row: unknown, fallbackId: string): Document | undefined {
  if (typeof row === "string") return tryRenderRow({ text: row }, fallbackId);
  if (typeof row !== "object" || row === null) return undefined;
  const fields = row as Row;
  const shape = shapes.find((candidate) =>
    Object.entries(candidate.fields).every(([name, fits]) => fits(fields[name])),
  );
  const text = shape?.render(fields).trim();
  const id = fields.id === undefined ? fallbackId : String(fields.id);
  return text ? { id, text: text.toWellFormed() } : undefined;
}

function renderArticle({ title, text }: Row): string {
  const body = (text as string).trim();
  return isText(title) && !body.startsWith(title as string) ? `${title}\n\n${body}` : body;
}

function renderAnswer(question: unknown, answer: unknown): string {
  return `Question: ${String(question).trim()}\nAnswer: ${String(answer ?? "").trim()}`;
}

function renderDialogue(turns: readonly Row[]): string {
  const lines = turns.filter(({ text }) => isText(text));
  return lines.map(({ agent, text }) => `${speaker(agent)}: ${String(text).trim()}`).join("\n");
}

/** Speakers numbered from 0 become letters; named speakers keep their name. */
function speaker(agent: unknown): string {
  return typeof agent === "number" ? String.fromCodePoint(65 + (agent % 26)) : String(agent ?? "A");
}
