/** Windows that could have come about: any kinds, sizes, pins and pasts; units as planners make them. */
import fc from "fast-check";
import { lru2 } from "../../../src/os/memory/lru-k.ts";
import type { PageKind, Window } from "../../../src/os/memory/page.ts";
import { addPage, emptyWindow, hit, placePages } from "../../../src/os/memory/window.ts";
import { bottom } from "../../../src/os/security/label.ts";

export const wordsOf = (tokens: number, seed = 0): string =>
  Array.from({ length: tokens }, (_, i) => `w${seed}${i}${i % 9 === 8 ? "\n" : ""}`).join(" ");

/** A token a word. */
export const countWords = (text: string): number => text.split(/\s+/).filter(Boolean).length;

const kinds: readonly PageKind[] = ["dialogue", "tool-output", "retrieved", "note"];

const anyPage = fc.record({
  kind: fc.constantFrom(...kinds),
  tokens: fc.integer({ min: 5, max: 300 }),
  pinned: fc.boolean(),
  text: fc.nat({ max: 12 }),
  called: fc.boolean(),
  used: fc.nat({ max: 2 }),
});

export interface AnyWindow {
  readonly window: Window;
  readonly texts: ReadonlyMap<string, string>;
}

export const anyWindow: fc.Arbitrary<AnyWindow> = fc
  .record({
    instruction: fc.integer({ min: 5, max: 50 }),
    plan: fc.integer({ min: 5, max: 50 }),
    pages: fc.array(anyPage, { maxLength: 25 }),
  })
  .map(({ instruction, plan, pages }) => {
    let window = emptyWindow(1);
    const texts = new Map<string, string>();
    const add = (
      kind: PageKind,
      tokens: number,
      more: {
        text?: number;
        pinned?: boolean;
        unit?: number;
        toolCalls?: string;
        role?: "tool";
      } = {},
    ): number => {
      const { text = 100 + texts.size, pinned = false, role, unit, toolCalls } = more;
      const hash = `${text}/${tokens}`;
      texts.set(hash, wordsOf(tokens, text));
      const added = addPage(
        window,
        {
          ...{ ref: `mem:1/${window.lastPage + 1}`, kind, title: "t", hash, tokens: tokens + 4 },
          ...{ role: role ?? (toolCalls === undefined ? "user" : "assistant") },
          ...{ labels: { label: bottom }, pinned, dirty: true },
          ...(unit !== undefined && { unit }),
          ...(toolCalls !== undefined && { toolCalls }),
        },
        lru2,
      );
      window = added.window;
      return added.page.page;
    };
    add("instruction", instruction, { pinned: true });
    add("plan", plan, { pinned: true });
    for (const { kind, tokens, text, called, pinned, used } of pages) {
      const isAnswer = kind === "tool-output" && called;
      const unit = isAnswer ? add("dialogue", 3, { toolCalls: "[]" }) : undefined;
      const more = { text, pinned: pinned && tokens < 20, ...(unit !== undefined && { unit }) };
      const page = add(kind, tokens, { ...more, ...(isAnswer && { role: "tool" as const }) });
      for (let i = 0; i < used; i++) {
        const shown = window.pages.get(page);
        if (shown !== undefined) window = hit({ ...window, clock: window.clock + 6 }, shown, lru2);
      }
    }
    return { window: placePages(window), texts };
  });
