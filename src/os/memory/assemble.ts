/**
 * Before each generation: what was said since is added, room is made, and what is in sight becomes
 * the prompt. The one place that decides residency.
 */
import { DeviceError } from "../kernel/device-error.ts";
import type { CallContext, CallResult } from "../kernel/syscall.ts";
import { isTrusted, join, joinAll, type Label, labelOf } from "../security/label.ts";
import { type Json, type Labelled, partLabels, wholeLabel } from "../security/labelled.ts";
import { type Access, openText } from "./access.ts";
import { compact, type Means, type Summary } from "./compaction.ts";
import { changeOf, type Draft, draftOf, newPage, putAway, readPage, writeBack } from "./draft.ts";
import type { Summariser } from "./models.ts";
import { isPrefix, type Page, type PageKind, type Window } from "./page.ts";
import { render } from "./render.ts";
import { refOf } from "./space.ts";
import type { StoredText } from "./text-store.ts";
import {
  addPage,
  findPage,
  hit,
  placePages,
  shownAs,
  tokensShown,
  unplaced,
  visiblePages,
  windowLabel,
  withPages,
} from "./window.ts";
import { changeWindow, loadWindow } from "./window-store.ts";

export interface Assembler extends Access {
  readonly summariser?: Summariser;
  /** Share of the capacity that compaction goes down to, once it began. */
  readonly low: number;
}

/** What was said: a text, or the text of a ref at this place. */
export interface Said {
  readonly kind: PageKind;
  readonly role?: Page["role"];
  readonly text?: string;
  readonly ref?: string;
  readonly title?: string;
  readonly toolCalls?: Json;
  readonly callId?: string;
  readonly pinned?: boolean;
}

interface AssembleArgs {
  readonly append?: readonly Said[];
  /** Tokens of the prompt, at most. */
  readonly capacity: number;
  readonly focus?: string;
}

export async function assemble(
  assembler: Assembler,
  args: Labelled,
  context: CallContext,
): Promise<CallResult> {
  const { append = [], capacity, focus } = args.value as unknown as AssembleArgs;
  const spent = { tokens: 0 };
  const refs = append.flatMap(({ ref }) => ref ?? []);
  const steps = await changeWindow(assembler.database, context, refs, async (loaded) => {
    const draft = draftOf(loaded);
    const labels = partLabels(args.labels, "append");
    for (const [i, said] of append.entries()) {
      const label = join(wholeLabel(partLabels(labels, i)), context.pc);
      await addSaid(assembler, draft, context, said, label);
    }
    const fresh = new Set(unplaced(draft.window).map(({ page }) => page));
    draft.window = placePages(draft.window);
    const means = meansOf(assembler, draft, context, spent);
    const low = Math.floor(capacity * assembler.low);
    const room = { capacity, low, fresh, replacement: assembler.replacement };
    const { window, steps } = await compact(
      draft.window,
      { ...room, focus: focus ?? (await latestQuestion(assembler, draft)) },
      means,
    );
    draft.window = window;
    checkFits(window, capacity);
    await writeBack(assembler, draft);
    return { ...changeOf(draft, steps as unknown as Json), capacity };
  });
  return { ...(await showWindow(assembler, context.pid, steps)), cost: { tokens: spent.tokens } };
}

async function showWindow(assembler: Assembler, pid: number, steps: Json): Promise<CallResult> {
  const draft = draftOf(await loadWindow(assembler.database.pool, pid));
  const pages = visiblePages(draft.window);
  const whole = pages.filter(({ form }) => form === "whole");
  await Promise.all(whole.map((page) => readPage(assembler, draft, page)));
  const { messages, prefix, prefixHash } = render(draft.window, draft.texts);
  const refs = pages.map(({ ref, form }) => ({ ref, form }));
  const tokens = tokensShown(draft.window);
  return {
    value: { messages, prefix, prefixHash, tokens, refs, steps } as unknown as Json,
    labels: { label: windowLabel(draft.window) },
  };
}

const roles: Readonly<Partial<Record<PageKind, Page["role"]>>> = {
  instruction: "system",
  plan: "system",
};

async function addSaid(
  assembler: Assembler,
  draft: Draft,
  context: CallContext,
  said: Said,
  label: Label,
): Promise<void> {
  const { kind, callId, toolCalls } = said;
  if (kind === "instruction" && !isTrusted(label)) throw notAnInstruction();
  const text = await textOf(assembler, draft, context, said, label);
  const role = said.role ?? roles[kind] ?? (callId === undefined ? "user" : "tool");
  const unit = role === "tool" ? unitOfCall(draft.window) : undefined;
  const before = findPage(draft.window, refOf(text));
  if (kind === "plan") draft.window = withoutPlans(draft.window);
  const page = newPage(assembler, text, {
    ...{ kind, role, pinned: said.pinned ?? isPrefix({ kind }), dirty: said.ref === undefined },
    ...(unit !== undefined && { unit }),
    ...(before !== undefined && { history: before.history }),
    ...(toolCalls !== undefined && { toolCalls: JSON.stringify(toolCalls) }),
    ...(callId !== undefined && { callId }),
  });
  const { window } = addPage(draft.window, page, assembler.replacement);
  draft.window = role === "assistant" ? hitNamed(assembler, window, said.text ?? "") : window;
  if (before?.kind === "retrieved" && said.ref !== undefined) {
    // Paged in a moment ago: this is the place that it gets.
    draft.window = withPages(draft.window, [shownAs(before, "absent", "", 0)]);
  }
}

async function textOf(
  assembler: Assembler,
  draft: Draft,
  context: CallContext,
  { kind, text, ref, title = kind }: Said,
  label: Label,
): Promise<StoredText> {
  if (ref === undefined) {
    return putAway(assembler, draft, context, { text: text ?? "", kind, title, labels: { label } });
  }
  const found = await openText(assembler, "memory.assemble", ref, context, draft);
  draft.known.set(ref, found);
  return found;
}

/** An answer belongs to the assistant's page that asked. */
function unitOfCall(window: Window): number | undefined {
  return [...window.pages.values()].findLast(({ toolCalls }) => toolCalls !== undefined)?.unit;
}

/** A plan takes the place of the one before: a plan that was given up is never shown again. */
function withoutPlans(window: Window): Window {
  const plans = [...window.pages.values()].filter(({ kind }) => kind === "plan");
  return withPages(
    window,
    plans.map((page) => shownAs(page, "absent", "", 0)),
  );
}

/** What the model names, it used. */
function hitNamed({ replacement }: Assembler, window: Window, text: string): Window {
  let used = window;
  for (const ref of new Set(text.match(/\bmem:\d+\/\d+\b/g) ?? [])) {
    const page = findPage(used, ref);
    if (page?.form === "whole") used = hit(used, page, replacement);
  }
  return used;
}

async function latestQuestion(assembler: Assembler, draft: Draft): Promise<string> {
  const asked = visiblePages(draft.window).findLast(({ kind, role, form }) => {
    return kind === "dialogue" && role === "user" && form === "whole";
  });
  return asked === undefined ? "" : readPage(assembler, draft, asked);
}

function meansOf(
  assembler: Assembler,
  draft: Draft,
  context: CallContext,
  spent: { tokens: number },
): Means {
  const { tokensOf, summariser } = assembler;
  const means = { tokensOf, textOf: (page: Page) => readPage(assembler, draft, page) };
  if (summariser === undefined) return means;
  const summarise: Means["summarise"] = async (window, pages, maxTokens) => {
    const texts = await Promise.all(pages.map((page) => shownText(assembler, draft, page)));
    try {
      const { text, tokens } = await summariser.summarise(texts, maxTokens, context.signal);
      spent.tokens += tokens;
      const label = labelOf(`model:${summariser.model}`);
      return await putSummary(assembler, draft, context, window, pages, text, label);
    } catch (error) {
      context.signal.throwIfAborted();
      return { why: `the model failed: ${(error as { code?: string }).code ?? "no code"}` };
    }
  };
  return { ...means, summarise };
}

async function shownText(assembler: Assembler, draft: Draft, page: Page): Promise<string> {
  const text = page.form === "whole" ? await readPage(assembler, draft, page) : page.standIn;
  return `${page.role} (${page.ref}): ${text}`;
}

async function putSummary(
  assembler: Assembler,
  draft: Draft,
  context: CallContext,
  before: Window,
  pages: readonly Page[],
  text: string,
  model: Label,
): Promise<Summary> {
  const [first, last] = [pages[0], pages.at(-1)] as [Page, Page];
  const label = joinAll([model, ...pages.map(({ labels }) => wholeLabel(labels))]);
  const title = `summary of ${first.ref} to ${last.ref}`;
  const made = { text, kind: "note", title, labels: { label } } as const;
  const stored = await putAway(assembler, draft, context, made);
  const { window, page } = addPage(
    before,
    newPage(assembler, stored, { role: "user" }),
    assembler.replacement,
  );
  return { window, made: page };
}

function checkFits(window: Window, capacity: number): void {
  const tokens = tokensShown(window);
  if (tokens <= capacity) return;
  throw new DeviceError(
    `memory.assemble: what is pinned must fit ${capacity} tokens, got ${tokens}. ` +
      "Unpin pages, shorten the instructions, or take a model with a longer context.",
  );
}

function notAnInstruction(): DeviceError {
  return new DeviceError(
    "memory.assemble: instructions must be the user's or the owner's, got a text of other origin. " +
      "Append it as dialogue or as a tool's output.",
    { code: "POLICY" },
  );
}
