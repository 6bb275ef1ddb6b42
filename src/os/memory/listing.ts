/** What there is: lists for processes, a search's results, the map of a window for people. */
import { inertLine } from "../../inert-text.ts";
import type { CallContext, CallResult } from "../kernel/syscall.ts";
import { joinAll } from "../security/label.ts";
import { type Json, type Labelled, type LabelTree, wholeLabel } from "../security/labelled.ts";
import { type Access, spacesFor } from "./access.ts";
import type { Embedder } from "./models.ts";
import type { Page } from "./page.ts";
import { describe } from "./paging.ts";
import { excerptOf, searchArchive } from "./search.ts";
import { ownSpace, parseRef, refOf, spaceOf } from "./space.ts";
import { fromTextRow, getText, type StoredText, type TextRow, textColumns } from "./text-store.ts";
import { tokensShown, visiblePages, workingSet } from "./window.ts";
import { loadWindow } from "./window-store.ts";

export interface Searcher extends Access {
  readonly embedder?: Embedder;
}

interface SearchArgs {
  readonly query: string;
  readonly space?: string;
  readonly limit?: number;
  readonly excerpt?: number;
}

export async function search(
  searcher: Searcher,
  { value }: Labelled,
  context: CallContext,
): Promise<CallResult> {
  const { query, space, limit = 8, excerpt = 160 } = value as unknown as SearchArgs;
  const asked = space === undefined ? undefined : spaceOf(space, context.pid);
  const spaces = await spacesFor(searcher, "memory.search", asked, context);
  const { blobs, embedder, database } = searcher;
  const archive = { pool: database.pool, blobs, ...(embedder !== undefined && { embedder }) };
  const { owner, signal } = context;
  const found = await searchArchive(archive, { text: query, owner, spaces, limit, signal });
  const hits = found.map(async ({ text, score, byWords, byMeaning }) => ({
    ...describe(text),
    ...{ score, byWords: byWords ?? null, byMeaning: byMeaning ?? null },
    ...(excerpt > 0 && { excerpt: excerptOf(await getText(blobs, text), query, excerpt) }),
  }));
  const labels = labelsOf(found.map(({ text }) => text));
  return { value: await Promise.all(hits), labels };
}

/** What stands in a list decides its length and order. */
function labelsOf(texts: readonly StoredText[]): LabelTree {
  const parts = texts.map(({ labels }) => ({ label: wholeLabel(labels) }));
  return { label: joinAll(parts.map(({ label }) => label)), parts };
}

interface ListArgs {
  readonly space?: string;
  readonly after?: string;
  readonly limit?: number;
}

/** Oldest first. */
export async function list(
  access: Access,
  { value }: Labelled,
  context: CallContext,
): Promise<CallResult> {
  const { space, after = "", limit = 50 } = value as unknown as ListArgs;
  const asked = space === undefined ? ownSpace(context.pid) : spaceOf(space, context.pid);
  const spaces = await spacesFor(access, "memory.list", asked, context);
  const from = parseRef(after) ?? { pid: 0, n: 0 };
  const { rows } = await access.database.pool.query<TextRow>(
    `select ${textColumns} from memory_text t where owner = $1 and space = any($2)
       and forgotten is null and (pid, n) > ($3, $4) order by pid, n limit $5`,
    [context.owner, spaces, from.pid, from.n, limit],
  );
  const { window } = await loadWindow(access.database.pool, context.pid);
  const shown = new Map(visiblePages(window).map((page) => [page.ref, page]));
  const texts = rows.map(fromTextRow);
  const rowOf = (text: StoredText): Json => {
    return { ...describe(text), ...formOf(shown.get(refOf(text))) };
  };
  return { value: texts.map(rowOf), labels: labelsOf(texts) };
}

function formOf(page: Page | undefined): { form: Page["form"]; pinned: boolean } {
  return { form: page?.form ?? "absent", pinned: page?.pinned ?? false };
}

/** Ticks of a window's time over which its working set is told. */
const SPAN = 32;

/** For people: everything in it is inert. */
export async function mapOf({ database }: Access, pid: number): Promise<Json> {
  const { window, capacity } = await loadWindow(database.pool, pid, "all");
  const { counts } = window;
  const working = workingSet(window, SPAN);
  const tokens = working.reduce((sum, page) => sum + page.tokens, 0);
  return {
    ...{ pid, capacity: capacity ?? null, tokens: tokensShown(window) },
    counts: { ...counts },
    hitRate: counts.references === 0 ? null : counts.hits / counts.references,
    workingSet: { span: SPAN, pages: working.length, tokens },
    pages: [...window.pages.values()].map(mapRow),
  };
}

function mapRow(page: Page): Json {
  const { ref, kind, title, form, tokens, shown, pinned, dirty, labels } = page;
  const sources = [...wholeLabel(labels).integrity].map((source) => inertLine(source, 80)).sort();
  return { page: page.page, ref, kind, title, form, tokens, shown, pinned, dirty, sources };
}
