/** The page map of a process, as the memory device tells it. */
import { inertLine } from "../../inert-text.ts";
import type { Json } from "../../os/security/labelled.ts";
import { type Column, renderColumns } from "./columns.ts";

type Row = { readonly [name: string]: Json };

const field = (name: string) => (row: Row) => inertLine(String(row[name] ?? ""), 60);
const mark = (name: string) => (row: Row) => (row[name] === true ? "yes" : "");

const columns: readonly Column<Row>[] = [
  { title: "REF", cell: field("ref") },
  { title: "KIND", cell: field("kind") },
  { title: "FORM", cell: field("form") },
  { title: "TOKENS", right: true, cell: field("tokens") },
  { title: "SHOWN", right: true, cell: field("shown") },
  { title: "PIN", cell: mark("pinned") },
  { title: "DIRTY", cell: mark("dirty") },
  { title: "TITLE", cell: field("title") },
  { title: "FROM", cell: ({ sources }) => inertLine((sources as string[]).join(" "), 80) },
];

export function renderMemoryMap(map: Json, width: number): string {
  const { pages, capacity, tokens, counts, hitRate, workingSet } = map as Row;
  const { faults, references, evictions } = counts as Row;
  const rate = hitRate === null ? "" : `, hit rate ${Number(hitRate).toFixed(3)}`;
  const working = workingSet as Row;
  const lines = [
    `${tokens} tokens shown of ${capacity ?? "?"}; ${references} references, ${faults} faults${rate}, ${evictions} evictions`,
    `working set of the last ${working.span} references: ${working.pages} pages, ${working.tokens} tokens`,
  ];
  return `${lines.join("\n")}\n${renderColumns(columns, pages as unknown as Row[], width)}`;
}
