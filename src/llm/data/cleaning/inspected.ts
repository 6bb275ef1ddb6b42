/**
 * What `nutshell data inspect` asks for and shows: one block a document, the place that decided
 * highlighted (in brackets where there is no colour).
 */
import { mark } from "./report-markdown.ts";
import { ruleNotes } from "./rule-notes.ts";

export interface InspectQuery {
  /** A rule that dropped or a kind of mask. */
  readonly rule?: string;
  readonly source?: string;
  readonly id?: string;
  /** `masked`: kept documents with masks. */
  readonly verdict?: "kept" | "dropped" | "cut" | "masked";
  /** Documents at most. */
  readonly sample: number;
  /** Draws the order; the same seed shows the same documents. */
  readonly seed: number;
  /** Documents of that order to pass over. */
  readonly offset: number;
  /** The whole text instead of an excerpt. */
  readonly whole?: boolean;
}

export interface InspectedDocument {
  readonly source: string;
  readonly part: string;
  /** Among the documents of its part, from 0. */
  readonly row: number;
  readonly id: string;
  readonly verdict: "kept" | "dropped" | "cut";
  readonly rule: string | null;
  readonly detail: string | null;
  /** Of a duplicate: the document that stays instead. */
  readonly twin: { readonly source: string; readonly id: string } | null;
  /** Masked spans by kind. */
  readonly masks: Readonly<Record<string, number>>;
  readonly bytes: number;
  readonly excerpt: string;
  readonly highlight: readonly [start: number, end: number] | null;
}

const colors = { kept: 32, dropped: 31, cut: 33 } as const;

/** @returns text that ends in a line feed */
export function renderInspected(
  documents: readonly InspectedDocument[],
  { color }: { readonly color: boolean },
): string {
  if (documents.length === 0) return "No document is like that.\n";
  return documents.map((document) => renderDocument(document, color)).join("\n");
}

function renderDocument(document: InspectedDocument, color: boolean): string {
  const { source, part, row, id, verdict, bytes, masks, excerpt, highlight } = document;
  const paint = (code: number, text: string): string =>
    color ? `\u001b[${code}m${text}\u001b[0m` : text;
  const head = `${paint(colors[verdict], verdict)}  ${source}  ${visible(id)}`;
  const place = `${visible(part)} row ${row}, ${bytes.toLocaleString("en")} bytes`;
  const masked = Object.entries(masks).map(([kind, count]) => `${kind} ${count}`);
  const [start, end] = highlight ?? [0, 0];
  const text = color
    ? visible(excerpt.slice(0, start)) +
      (start === end ? "" : paint(7, visible(excerpt.slice(start, end)))) +
      visible(excerpt.slice(end))
    : visible(mark(excerpt, highlight));
  const lines = [
    `${head}  (${place})`,
    ...reasonOf(document),
    ...(masked.length === 0 ? [] : [`masked: ${masked.join(", ")}`]),
    ...text.split("\n").map((line) => `  | ${line}`),
  ];
  return `${lines.join("\n")}\n`;
}

function reasonOf({ rule, detail, twin }: InspectedDocument): string[] {
  if (rule === null) return [];
  const stays = twin === null ? "" : `; ${visible(twin.id)} in ${twin.source} stays`;
  const note = ruleNotes.get(rule);
  const lines = [`${rule}: ${visible(detail ?? "")}${stays}`];
  return note === undefined || detail?.startsWith(note.split(";")[0] ?? "") === true
    ? lines
    : [...lines, `  (${note})`];
}

/** Text of strangers must not steer the terminal: control characters but LF and tab are shown. */
function visible(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: those are what it looks for
  return text.replace(/[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/g, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}
