/**
 * A change to one window under way: the copy that is changed, the texts that were put away for it,
 * and what of both is to be written. Nothing of it is seen by anybody before it is saved.
 */
import type { BlobStore } from "../../durable/blobs.ts";
import type { Database } from "../../durable/database.ts";
import type { CallContext } from "../kernel/syscall.ts";
import type { LabelTree } from "../security/labelled.ts";
import type { Replacement } from "./lru-k.ts";
import { MESSAGE_TOKENS, type Page, type PageKind, type Window } from "./page.ts";
import { headOf } from "./render.ts";
import { ownSpace, parseRef, type Ref, refOf } from "./space.ts";
import { getText, putText, type StoredText, titleOf } from "./text-store.ts";
import type { NewPage } from "./window.ts";
import type { Change, Loaded } from "./window-store.ts";

/** What all memory calls have. */
export interface Machine {
  readonly database: Database;
  readonly blobs: BlobStore;
  readonly tokensOf: (text: string) => number;
  readonly replacement: Replacement;
}

export interface Draft {
  readonly loaded: Loaded;
  window: Window;
  readonly made: StoredText[];
  readonly known: Map<string, StoredText>;
  /** By hash: read or put away in this change. */
  readonly texts: Map<string, string>;
  readonly indexed: { ref: Ref; text: string }[];
}

export function draftOf(loaded: Loaded): Draft {
  const { window } = loaded;
  const known = new Map(loaded.known);
  return { loaded, window, made: [], known, texts: new Map(), indexed: [] };
}

export interface NewText {
  readonly text: string;
  readonly kind: PageKind;
  readonly title: string;
  readonly labels: LabelTree;
  /** Default: the process's own. */
  readonly space?: string;
}

/** @throws DeviceError ARGUMENTS when it is too large */
export async function putAway(
  { blobs, tokensOf }: Machine,
  draft: Draft,
  { pid, owner, call, since }: CallContext,
  { text, kind, title, labels, space = ownSpace(pid) }: NewText,
): Promise<StoredText> {
  const stored: StoredText = {
    ...{ pid, n: draft.loaded.texts + draft.made.length + 1 },
    ...{ owner, space, kind, title: titleOf(title), labels, call, at: since },
    ...(await putText(blobs, text)),
    tokens: tokensOf(text) + MESSAGE_TOKENS,
  };
  draft.made.push(stored);
  draft.known.set(refOf(stored), stored);
  draft.texts.set(stored.hash, text);
  return stored;
}

/** The whole original of a page. */
export async function readPage({ blobs }: Machine, draft: Draft, page: Page): Promise<string> {
  const known = draft.texts.get(page.hash);
  if (known !== undefined) return known;
  const text = await getText(blobs, draft.known.get(page.ref) as StoredText);
  draft.texts.set(page.hash, text);
  return text;
}

/** A page that shows a text which is not in the index yet; its tokens are its message's. */
export function newPage(
  { tokensOf }: Machine,
  { title, hash, tokens, labels, ...text }: StoredText,
  as: Pick<NewPage, "role"> & Partial<NewPage>,
): NewPage {
  const page = { ref: refOf(text), kind: text.kind, title, hash, labels, pinned: false, ...as };
  const around = headOf({ ...unshown, ...page }) + (as.toolCalls ?? "");
  return { dirty: true, ...page, tokens: tokens + tokensOf(around) };
}

const unshown = { page: 0, unit: 0, form: "whole", standIn: "", dirty: true, history: [] } as const;

/** Write-back: what left the window since it was made can be searched for from now on. */
export async function writeBack(machine: Machine, draft: Draft): Promise<void> {
  const clean: Page[] = [];
  for (const page of draft.window.pages.values()) {
    if (!page.dirty || page.form === "whole" || page.form === "duplicate") continue;
    const text = await readPage(machine, draft, page);
    draft.indexed.push({ ref: parseRef(page.ref) as Ref, text });
    clean.push({ ...page, dirty: false });
  }
  const pages = new Map(draft.window.pages);
  for (const page of clean) pages.set(page.page, page);
  draft.window = { ...draft.window, pages };
}

export function changeOf(draft: Draft, answer: Change["answer"]): Change {
  const { window, made, indexed } = draft;
  return { window, made, indexed, answer };
}
