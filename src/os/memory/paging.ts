/**
 * Single pages: brought in, pinned, put away, kept apart. Each is a change of the caller's own
 * window, or of texts that it may write; each is made once however often its call is repeated.
 */
import { DeviceError } from "../kernel/device-error.ts";
import type { CallContext, CallResult } from "../kernel/syscall.ts";
import type { Json, Labelled, LabelTree } from "../security/labelled.ts";
import { raise, wholeLabel } from "../security/labelled.ts";
import { type Access, checkWritable, openText } from "./access.ts";
import { changeOf, type Draft, draftOf, newPage, putAway } from "./draft.ts";
import { referencedAt } from "./lru-k.ts";
import { isPrefix, type Page, type PageKind } from "./page.ts";
import { parseRef, type Ref, refOf, spaceOf } from "./space.ts";
import { findText, fromTextRow, getText, type StoredText, type TextRow } from "./text-store.ts";
import { addPage, fault, findPage, hit, shownAs, withPages } from "./window.ts";
import { changeWindow } from "./window-store.ts";

interface PageInArgs {
  readonly ref: string;
  readonly from?: number;
  readonly count?: number;
}

export async function pageIn(
  access: Access,
  { value }: Labelled,
  context: CallContext,
): Promise<CallResult> {
  const { ref, from, count } = value as unknown as PageInArgs;
  const answer = await changeWindow(access.database, context, [ref], async (loaded) => {
    const draft = draftOf(loaded);
    const whole = await openText(access, "memory.page_in", ref, context, loaded);
    const text =
      from === undefined && count === undefined
        ? whole
        : await putPart(access, draft, context, whole, from ?? 0, count);
    const inSight = bringIn(access, draft, text);
    return changeOf(draft, { ref: refOf(text), inSight });
  });
  const done = answer as { readonly ref: string; readonly inSight: boolean };
  const row = (await findText(access.database.pool, parseRef(done.ref) as Ref)) as TextRow;
  const text = fromTextRow(row);
  const shown = { ...describe(text), text: await getText(access.blobs, text) };
  return { value: { ...shown, inSight: done.inSight }, labels: { label: wholeLabel(text.labels) } };
}

/** A part of a text is a text of its own, with the whole one's labels. */
async function putPart(
  access: Access,
  draft: Draft,
  context: CallContext,
  whole: StoredText,
  from: number,
  count: number | undefined,
): Promise<StoredText> {
  const text = await getText(access.blobs, whole);
  const part = text.slice(from, count === undefined ? undefined : from + count);
  const title = `${refOf(whole)} from ${from}`;
  return putAway(access, draft, context, {
    ...{ text: part, kind: "retrieved", title, labels: raise(whole.labels, context.pc) },
  });
}

/** @returns whether it was in sight */
function bringIn(access: Access, draft: Draft, text: StoredText): boolean {
  const { replacement } = access;
  const { window, loaded } = draft;
  const page = findPage(window, refOf(text));
  if (page !== undefined && isInSight(page, draft)) {
    draft.window = hit(window, page, replacement);
    return true;
  }
  checkSize(text, loaded.capacity);
  const counted = fault(window, page);
  if (page?.kind === "retrieved" && page.role !== "tool") {
    const clock = counted.clock + 1;
    const history = referencedAt(page.history, clock, replacement);
    const gone = shownAs(page, "absent", "", 0);
    // It comes last, as all that is new does.
    const back = { ...shownAs(gone, "whole", "", page.tokens), history };
    draft.window = withPages({ ...counted, clock }, [back]);
    return false;
  }
  const shown = newPage(access, text, {
    ...{ role: "user", kind: "retrieved", dirty: draft.made.includes(text) },
    ...(page !== undefined && { history: page.history }),
  });
  draft.window = addPage(counted, shown, replacement).window;
  return false;
}

/** A later copy is in sight where the first is. */
function isInSight(page: Page, { window }: Draft): boolean {
  if (page.form !== "duplicate") return page.form === "whole";
  return window.pages.values().some(({ hash, form }) => hash === page.hash && form === "whole");
}

function checkSize({ tokens }: StoredText, capacity: number | undefined): void {
  if (capacity === undefined || tokens <= capacity) return;
  throw new DeviceError(
    `memory.page_in: a page must fit the window of ${capacity} tokens, got ${tokens}. ` +
      "Ask for a part of it with from and count.",
    { code: "ARGUMENTS" },
  );
}

/** Pinned pages take at most this share of the window. */
const MOST_PINNED = 0.5;

/** Brings it in where it is not, and keeps it there. */
export async function pin(
  access: Access,
  { value }: Labelled,
  context: CallContext,
): Promise<CallResult> {
  const { ref } = value as { readonly ref: string };
  const answer = await changeWindow(access.database, context, [ref], async (loaded) => {
    const draft = draftOf(loaded);
    const text = await openText(access, "memory.pin", ref, context, loaded);
    bringIn(access, draft, text);
    const page = findPage(draft.window, ref) as Page;
    const whole = shownAs(page, "whole", "", page.tokens);
    draft.window = withPages(draft.window, [{ ...whole, pinned: true }]);
    checkPinned(draft);
    return changeOf(draft, { ref, pinned: true });
  });
  return { value: answer };
}

function checkPinned({ window, loaded }: Draft): void {
  if (loaded.capacity === undefined) return;
  const pinned = [...window.pages.values()].filter((page) => page.pinned);
  const tokens = pinned.reduce((sum, { shown }) => sum + shown, 0);
  const most = Math.floor(MOST_PINNED * loaded.capacity);
  if (tokens <= most) return;
  throw new DeviceError(
    `memory.pin: pinned pages must have at most ${most} tokens, got ${tokens}. Unpin others first.`,
  );
}

export async function unpin(
  access: Access,
  { value }: Labelled,
  context: CallContext,
): Promise<CallResult> {
  const { ref } = value as { readonly ref: string };
  const answer = await changeWindow(access.database, context, [ref], async (loaded) => {
    const draft = draftOf(loaded);
    await openText(access, "memory.unpin", ref, context, loaded);
    const pages = [...draft.window.pages.values()].filter((page) => page.ref === ref);
    const loose = pages.map((page) => ({ ...page, pinned: isPrefix(page) }));
    draft.window = withPages(draft.window, loose);
    return changeOf(draft, { ref, pinned: loose.some(({ pinned }) => pinned) });
  });
  return { value: answer };
}

interface WriteArgs {
  readonly text: string;
  readonly title?: string;
  readonly space?: string;
}

/** Into the archive, to be found by search; not into the window. */
export async function write(
  access: Access,
  { value, labels }: Labelled,
  context: CallContext,
): Promise<CallResult> {
  const { text, title = "note", space: asked } = value as unknown as WriteArgs;
  const space = spaceOf(asked, context.pid);
  checkWritable("memory.write", space, context);
  const label: LabelTree = { label: wholeLabel(raise(labels, context.pc)) };
  const answer = await changeWindow(access.database, context, [], async (loaded) => {
    const draft = draftOf(loaded);
    const given = { text, kind: "note" as PageKind, title, labels: label, space };
    const stored = await putAway(access, draft, context, given);
    draft.indexed.push({ ref: stored, text });
    return changeOf(draft, { ref: refOf(stored), space, tokens: stored.tokens });
  });
  return { value: answer };
}

interface ForgetArgs {
  readonly ref: string;
  readonly undo?: boolean;
}

/** Kept apart: not shown, not found, not deleted. What was made of it before is not undone. */
export async function forget(
  { database }: Access,
  { value }: Labelled,
  context: CallContext,
): Promise<CallResult> {
  const { ref, undo = false } = value as unknown as ForgetArgs;
  const parsed = parseRef(ref) ?? ({ pid: 0, n: 0 } satisfies Ref);
  const { rows } = await database.pool.query<{ space: string }>(
    "select space from memory_text where pid = $1 and n = $2 and owner = $3",
    [parsed.pid, parsed.n, context.owner],
  );
  // Nothing is in a space without a name, so that what is not there is refused the same way.
  checkWritable("memory.forget", rows[0]?.space ?? "", context);
  await database.pool.query("update memory_text set forgotten = $3 where pid = $1 and n = $2", [
    ...[parsed.pid, parsed.n, undo ? null : context.since],
  ]);
  return { value: { ref, forgotten: !undo } };
}

/** What a process is told of a text without its content: age and origin first of all. */
export function describe(text: StoredText): Record<string, Json> {
  const { kind, title, tokens, bytes, at, space } = text;
  const sources = [...wholeLabel(text.labels).integrity].sort();
  return { ref: refOf(text), kind, title, space, tokens, bytes, at, sources };
}
