/**
 * Turns one row of JSONL or Parquet into a document. A table of row shapes, tried in order; a shape
 * matches when all of its fields are there. Titles head their text; questions and dialogues become
 * plain lines. A row whose text is empty or null is an empty document: the quality rules count it.
 *
 *     {text | content | body …, title?}  {question, choices, answer}  {question, answer}
 *     {turns: [{agent, text}]}
 */

import type { Document } from "../document.ts";

export type Row = Readonly<Record<string, unknown>>;

interface RowShape {
  readonly fields: Readonly<Record<string, (value: unknown) => boolean>>;
  render(row: Row): string;
}

/** Names of the field that holds a whole text, the most usual first. */
const textFields = [
  "text",
  "content",
  "body",
  "document",
  "raw_content",
  "article",
  "passage",
  "story",
] as const;

const isText = (value: unknown): boolean => typeof value === "string" && value.trim() !== "";
const isList = (value: unknown): boolean => Array.isArray(value) && value.length > 0;
const isMaybeText = (value: unknown): boolean => typeof value === "string" || value === null;

const shapes: readonly RowShape[] = [
  ...textFields.map((field) => ({
    fields: { [field]: isMaybeText },
    render: (row: Row) => renderArticle(row, String(row[field] ?? "")),
  })),
  {
    fields: { question: isText, choices: isList, answer: isIndex },
    render: ({ question, choices, answer }) =>
      renderAnswer(question, (choices as unknown[])[Number(answer)]),
  },
  {
    fields: { question: isText, answer: isText },
    render: ({ question, answer }) => renderAnswer(question, answer),
  },
  { fields: { turns: isList }, render: ({ turns }) => renderDialogue(turns as Row[]) },
];

/** Every field that some shape reads, beside `id` and `title`. */
export const rowFields: readonly string[] = [
  ...new Set(shapes.flatMap(({ fields }) => Object.keys(fields))),
];

/** The fields that a row must have, for error messages. */
export const ROW_FIELDS =
  '"text" (or content, body, document), "question" and "answer", or "turns"';

/**
 * @param fallbackId used when the row has no `id`
 * @returns undefined when the row has no known shape
 */
export function tryRenderRow(row: unknown, fallbackId: string): Document | undefined {
  if (typeof row === "string") return tryRenderRow({ text: row }, fallbackId);
  if (typeof row !== "object" || row === null) return undefined;
  const fields = row as Row;
  const shape = shapes.find((candidate) => fitsShape(candidate, fields));
  if (shape === undefined) return undefined;
  const id = fields.id === undefined || fields.id === null ? fallbackId : String(fields.id);
  return { id, text: shape.render(fields).trim().toWellFormed() };
}

/** Chat rows look like text to the eye, but belong to a later stage with its own template. */
export function isChatRow(row: unknown): boolean {
  if (typeof row !== "object" || row === null) return false;
  const { messages, conversations } = row as Row;
  return isList(messages) || isList(conversations);
}

function fitsShape({ fields }: RowShape, row: Row): boolean {
  for (const name in fields) {
    if (!fields[name]?.(row[name])) return false;
  }
  return true;
}

/** Parquet has 64-bit integers, which arrive as bigint. */
function isIndex(value: unknown): boolean {
  return Number.isInteger(value) || typeof value === "bigint";
}

function renderArticle({ title }: Row, text: string): string {
  const body = text.trim();
  return isText(title) && body !== "" && !body.startsWith(title as string)
    ? `${title}\n\n${body}`
    : body;
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
  const number = typeof agent === "bigint" ? Number(agent) : agent;
  return typeof number === "number"
    ? String.fromCodePoint(65 + (number % 26))
    : String(number ?? "A");
}
