/**
 * What happens to a page table, as pure functions: pages are added, referenced, found, shown in
 * another form. Time is the count of references and additions, never a clock's.
 */
import { joinAll, type Label } from "../security/label.ts";
import { wholeLabel } from "../security/labelled.ts";
import { type Replacement, referencedAt } from "./lru-k.ts";
import type { Counts, Form, Page, Window } from "./page.ts";

const noCounts: Counts = { references: 0, hits: 0, faults: 0, refaults: 0, evictions: 0 };

export function emptyWindow(pid: number): Window {
  return { pid, pages: new Map(), clock: 0, lastPage: 0, lastPosition: 0, counts: noCounts };
}

export function withPages(window: Window, changed: Iterable<Page>): Window {
  const pages = new Map(window.pages);
  for (const page of changed) pages.set(page.page, page);
  return { ...window, pages };
}

/** What a new page is made of; the window gives the rest. */
export type NewPage = Omit<
  Page,
  "page" | "form" | "standIn" | "shown" | "unit" | "position" | "history"
> & {
  readonly unit?: number;
  /** Of the same text's earlier pages. */
  readonly history?: readonly number[];
};

/** Adds a page, whole; it gets its place at the next assembly. */
export function addPage(
  window: Window,
  given: NewPage,
  policy: Replacement,
): { readonly window: Window; readonly page: Page } {
  const [number, clock] = [window.lastPage + 1, window.clock + 1];
  const page: Page = {
    ...given,
    page: number,
    form: "whole",
    standIn: "",
    shown: given.tokens,
    unit: given.unit ?? number,
    history: referencedAt(given.history ?? [], clock, policy),
  };
  return { window: withPages({ ...window, clock, lastPage: number }, [page]), page };
}

/** What was added or brought in since the last assembly, in the order of their numbers. */
export function unplaced(window: Window): Page[] {
  const pages = [...window.pages.values()].filter(({ position, form }) => {
    return position === undefined && form !== "absent";
  });
  return pages.sort((a, b) => a.page - b.page);
}

/** Gives them their places, last. */
export function placePages(window: Window): Window {
  let { lastPosition } = window;
  const placed = unplaced(window).map((page) => ({ ...page, position: ++lastPosition }));
  return { ...withPages(window, placed), lastPosition };
}

/** The page that shows most of a text: whole, else the latest one that has a use for it. */
export function findPage(window: Window, ref: string): Page | undefined {
  const pages = [...window.pages.values()].filter((page) => page.ref === ref);
  const whole = pages.find(({ form }) => form === "whole");
  return whole ?? pages.findLast(({ kind }) => kind === "retrieved") ?? pages.at(-1);
}

/** A reference to what is in sight. */
export function hit(window: Window, page: Page, policy: Replacement): Window {
  const clock = window.clock + 1;
  const { counts } = window;
  const counted = { ...counts, references: counts.references + 1, hits: counts.hits + 1 };
  const used = { ...page, history: referencedAt(page.history, clock, policy) };
  return withPages({ ...window, clock, counts: counted }, [used]);
}

/** Counts a reference to what is not; the page itself is then added or shown. */
export function fault(window: Window, before: Page | undefined): Window {
  const { counts } = window;
  return {
    ...window,
    counts: {
      ...counts,
      references: counts.references + 1,
      faults: counts.faults + 1,
      refaults: counts.refaults + (before === undefined ? 0 : 1),
    },
  };
}

/** The page in another form. What loses its text from sight is an eviction. */
export function shownAs(page: Page, form: Form, standIn: string, shown: number): Page {
  const { position, ...rest } = page;
  const gone = { ...rest, form, standIn: "", shown: 0 };
  return form === "absent" ? gone : { ...page, form, standIn, shown };
}

export function countEvictions(window: Window, evictions: number): Window {
  const { counts } = window;
  return { ...window, counts: { ...counts, evictions: counts.evictions + evictions } };
}

/** What is shown, in its order, prefix first. */
export function visiblePages(window: Window): Page[] {
  const pages = [...window.pages.values()].filter(({ form }) => form !== "absent");
  return pages.sort((a, b) => rank(a) - rank(b) || placeOf(a) - placeOf(b) || a.page - b.page);
}

const ranks: Readonly<Partial<Record<Page["kind"], number>>> = { instruction: 0, plan: 1 };

function rank({ kind }: Page): number {
  return ranks[kind] ?? 2;
}

function placeOf({ position }: Page): number {
  return position ?? Number.POSITIVE_INFINITY;
}

export function tokensShown(window: Window): number {
  let tokens = 0;
  for (const page of window.pages.values()) tokens += page.shown;
  return tokens;
}

/**
 * The join of what is in sight. Which pages these are was chosen by sizes and references of pages
 * that may be gone: a process that may not be steered by these keeps the join of all it has seen.
 */
export function windowLabel(window: Window): Label {
  return joinAll(visiblePages(window).map(({ labels }) => wholeLabel(labels)));
}

/** Denning's working set: what was referenced in the last `span` ticks of the table's time. */
export function workingSet(window: Window, span: number): readonly Page[] {
  const texts = new Map<string, Page>();
  for (const page of window.pages.values()) {
    const last = page.history[0];
    if (last !== undefined && window.clock - last < span) texts.set(page.ref, page);
  }
  return [...texts.values()];
}
