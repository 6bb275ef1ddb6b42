/**
 * Making room, cheapest first: tools' outputs that are not used go to disk and leave a handle →
 * those that are in use are distilled → old dialogue is summarised → what was not used for longest
 * leaves. A stage begins only while the window is over its capacity, and then goes on to the low
 * mark, so that the bytes of the prompt change seldom. Instructions, plan and pinned pages are
 * never touched; originals stay on disk, so that every step can be undone by a `page_in`.
 *
 * Before all that, and without need: an output that stands in the window already is shown once.
 */
import { distil } from "./distil.ts";
import { inVictimOrder, isInUse, type Replacement } from "./lru-k.ts";
import { isPrefix, MESSAGE_TOKENS, type Page, type Window } from "./page.ts";
import { headOf } from "./render.ts";
import { countEvictions, shownAs, tokensShown, visiblePages, withPages } from "./window.ts";

export interface Room {
  /** Tokens that may be shown, and what a stage that began goes down to. */
  readonly capacity: number;
  readonly low: number;
  readonly replacement: Replacement;
  /** Text whose words say what matters now. */
  readonly focus: string;
  /** Numbers of the pages that came since the last prompt: to be read in this one. */
  readonly fresh: ReadonlySet<number>;
}

export interface Means {
  readonly tokensOf: (text: string) => number;
  readonly textOf: (page: Page) => Promise<string>;
  /** Makes a page that stands for these. Absent: there is no model for it. */
  readonly summarise?: (
    window: Window,
    pages: readonly Page[],
    maxTokens: number,
  ) => Promise<Summary>;
}

export type Summary =
  | { readonly window: Window; readonly made: Page }
  | { readonly window?: undefined; readonly why: string };

/** What was done, for the journal and for people. */
export interface Step {
  readonly step: "duplicate" | "spill" | "distil" | "summarise" | "evict";
  readonly refs: readonly string[];
  /** Tokens. */
  readonly freed: number;
  /** Of the summary; or why there is none. */
  readonly made?: string;
  readonly why?: string;
}

export interface Compacted {
  readonly window: Window;
  readonly steps: readonly Step[];
}

type Stage = (window: Window, room: Room, means: Means) => Promise<Compacted>;

const stages: readonly Stage[] = [spill, distilLargest, summariseOldest, evictUnused, evictAny];

export async function compact(window: Window, room: Room, means: Means): Promise<Compacted> {
  let done = foldDuplicates(window, means);
  for (const stage of stages) {
    if (tokensShown(done.window) <= room.capacity) break;
    const { window, steps } = await stage(done.window, room, means);
    done = { window, steps: [...done.steps, ...steps] };
  }
  const linked = withoutDangling(done.window, means);
  // A handle may be longer than the pointer that it takes the place of.
  if (tokensShown(linked) <= room.capacity) return { ...done, window: linked };
  const last = await evictAny(linked, room, means);
  return { window: last.window, steps: [...done.steps, ...last.steps] };
}

/** What may be shown otherwise at all. */
function isLoose(page: Page): boolean {
  return !page.pinned && !isPrefix(page) && page.form !== "absent";
}

const outputs: readonly Page["kind"][] = ["tool-output", "retrieved"];
/** Tokens that pointing to the first place must save. */
const WORTH = 32;

/** The first place stays, so that the prompt's bytes before it do; later ones point there. */
function foldDuplicates(window: Window, { tokensOf }: Means): Compacted {
  const first = new Map<string, Page>();
  const folded: Page[] = [];
  for (const page of visiblePages(window)) {
    if (page.form !== "whole" || !outputs.includes(page.kind)) continue;
    const twin = first.get(page.hash);
    first.set(page.hash, twin ?? page);
    if (twin === undefined || !isLoose(page)) continue;
    const standIn = `[the same text as ${twin.ref} above]`;
    const shown = tokensOf(standIn) + MESSAGE_TOKENS;
    if (page.shown - shown >= WORTH) folded.push(shownAs(page, "duplicate", standIn, shown));
  }
  return { window: withPages(window, folded), steps: stepOf("duplicate", window, folded) };
}

/** What points to a place that is not shown any more says where the text lies. */
function withoutDangling(window: Window, means: Means): Window {
  const pages = [...window.pages.values()];
  const whole = new Set(pages.flatMap(({ form, hash }) => (form === "whole" ? [hash] : [])));
  const dangling = pages.filter(({ form, hash }) => form === "duplicate" && !whole.has(hash));
  return withPages(
    window,
    dangling.map((page) => handle(page, means)),
  );
}

function stepOf(step: Step["step"], before: Window, pages: readonly Page[]): readonly Step[] {
  if (pages.length === 0) return [];
  const freed = pages.reduce((sum, { page, shown }) => {
    return sum + (before.pages.get(page)?.shown ?? 0) - shown;
  }, 0);
  return [{ step, refs: pages.map(({ ref }) => ref), freed }];
}

/** Changes these groups in this order, each as a whole, until the window is down to `tokens`. */
async function shrink(
  step: Step["step"],
  window: Window,
  groups: readonly (readonly Page[])[],
  tokens: number,
  change: (page: Page, over: number) => Page | Promise<Page>,
): Promise<Compacted> {
  const changed: Page[] = [];
  let over = tokensShown(window) - tokens;
  for (const page of groups.values().flatMap((group) => (over > 0 ? group : []))) {
    const smaller = await change(page, over);
    if (smaller.form !== "absent" && smaller.shown >= page.shown) continue;
    over -= page.shown - smaller.shown;
    changed.push(smaller);
  }
  const evicted = changed.filter(({ form }) => form !== "distilled").length;
  const steps = stepOf(step, window, changed);
  return { window: countEvictions(withPages(window, changed), evicted), steps };
}

const one = (page: Page): readonly Page[] => [page];
const absent = (page: Page): Page => shownAs(page, "absent", "", 0);

/** Not to go while there is anything else. */
function isNeeded(page: Page, { clock }: Window, { fresh, replacement }: Room): boolean {
  return fresh.has(page.page) || isInUse(page, clock, replacement);
}

/** Uses are near each other when the window has not turned over more often than this between. */
const TURNS = 16;

/** Used again and again, lately: old dialogue goes before it. */
function isHot({ history }: Page, window: Window, pages: number, { replacement }: Room): boolean {
  const last = history[replacement.k - 1];
  return replacement.k > 1 && last !== undefined && window.clock - last < TURNS * pages;
}

function spill(window: Window, room: Room, means: Means): Promise<Compacted> {
  const pages = visiblePages(window);
  const idle = pages.filter((page) => {
    const used = isNeeded(page, window, room) || isHot(page, window, pages.length, room);
    return outputs.includes(page.kind) && isLoose(page) && !used;
  });
  const order = inVictimOrder(idle, window.clock, room.replacement).map(one);
  return shrink("spill", window, order, room.low, (page) => {
    // What a search can bring again needs no handle; the answer to a call must be one.
    return page.kind === "retrieved" && page.role !== "tool" ? absent(page) : handle(page, means);
  });
}

function handle(page: Page, { tokensOf }: Means): Page {
  const standIn = `[${page.ref} ${page.title}: ${page.tokens} tokens, on disk; page in to read]`;
  return shownAs(page, "spilled", standIn, tokensOf(standIn) + MESSAGE_TOKENS);
}

/** No page is made shorter than this many tokens. */
const LEAST = 128;

/** What was asked for by its ref is to be read whole, or not at all. */
function distilLargest(window: Window, room: Room, means: Means): Promise<Compacted> {
  const long = visiblePages(window).filter(({ form, kind, shown }) => {
    return (form === "whole" || form === "distilled") && kind === "tool-output" && shown > LEAST;
  });
  const order = long.filter(isLoose).sort((a, b) => b.shown - a.shown || a.page - b.page);
  return shrink("distil", window, order.map(one), room.low, async (page, over) => {
    const around = means.tokensOf(headOf(page)) + MESSAGE_TOKENS;
    const most = Math.max(LEAST, page.shown - over) - around;
    const text = await means.textOf(page);
    const short = distil(text, page.ref, room.focus, most, means.tokensOf).text;
    return shownAs(page, "distilled", short, means.tokensOf(short) + around);
  });
}

/** A summary is an eighth of what it stands for, within these tokens. */
const [SUMMARY_SHARE, SUMMARY_LEAST, SUMMARY_MOST] = [1 / 8, 64, 400];

async function summariseOldest(window: Window, room: Room, means: Means): Promise<Compacted> {
  if (means.summarise === undefined) return { window, steps: [] };
  const over = tokensShown(window) - room.low;
  const pages: Page[] = [];
  let tokens = 0;
  for (const unit of unitsOf(window)) {
    if (unit.every(({ kind }) => kind === "retrieved")) continue;
    if (tokens * (1 - SUMMARY_SHARE) > over || !isOld(unit, window, room)) break;
    pages.push(...unit);
    tokens += unit.reduce((sum, { shown }) => sum + shown, 0);
  }
  if (tokens < 2 * SUMMARY_LEAST) return { window, steps: [] };
  const most = Math.min(SUMMARY_MOST, Math.max(SUMMARY_LEAST, Math.ceil(tokens * SUMMARY_SHARE)));
  const summary = await means.summarise(window, pages, most);
  const refs = pages.map(({ ref }) => ref);
  if (summary.window === undefined) {
    return { window, steps: [{ step: "summarise", refs: [], freed: 0, why: summary.why }] };
  }
  const gone = pages.map(absent);
  const position = pages[0]?.position;
  // It stands where the oldest of them stood.
  const made = { ...summary.made, ...(position !== undefined && { position }) };
  const freed = tokens - made.shown;
  const after = countEvictions(withPages(summary.window, [...gone, made]), gone.length);
  return { window: after, steps: [{ step: "summarise", refs, freed, made: made.ref }] };
}

/** Loose pages by unit, oldest first; a unit with a pinned page is not loose. */
function unitsOf(window: Window): readonly (readonly Page[])[] {
  const units = Map.groupBy(visiblePages(window), ({ unit }) => unit);
  return [...units.values()].filter((unit) => unit.every(isLoose));
}

function isOld(unit: readonly Page[], window: Window, room: Room): boolean {
  return unit.every((page) => !isNeeded(page, window, room));
}

async function evictUnused(window: Window, room: Room): Promise<Compacted> {
  const idle = unitsInOrder(window, room).filter((unit) => {
    return !unit.some((page) => isNeeded(page, window, room));
  });
  return shrink("evict", window, idle, room.low, absent);
}

/** At the end of its means: what is in use goes too, and of what is new the text. */
async function evictAny(window: Window, room: Room, means: Means): Promise<Compacted> {
  const units = unitsInOrder(window, room);
  const isFresh = (unit: readonly Page[]): boolean => unit.some(({ page }) => room.fresh.has(page));
  const others = units.filter((unit) => !isFresh(unit));
  const first = await shrink("evict", window, others, room.capacity, absent);
  const last = units.filter(isFresh).flat().map(one);
  const then = await shrink("spill", first.window, last, room.capacity, (page) => {
    return handle(page, means);
  });
  return { window: then.window, steps: [...first.steps, ...then.steps] };
}

/** A unit is used when its latest used page is. */
function unitsInOrder(window: Window, { replacement }: Room): readonly (readonly Page[])[] {
  const units = unitsOf(window).map((pages) => {
    const latest = inVictimOrder(pages, window.clock, replacement).at(-1) as Page;
    return { pages, history: latest.history };
  });
  return inVictimOrder(units, window.clock, replacement).map(({ pages }) => pages);
}
