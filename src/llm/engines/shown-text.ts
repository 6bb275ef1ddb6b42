/**
 * What of a text may be shown while it is made, and which tokens it came from. Where a stop text
 * begins, it is taken apart again: the last tokens have to leave the timeline, and the beginning of
 * one of them has to be spelled anew.
 */
import type { TokenLogprob } from "../inference/engine.ts";
import { createStopScanner } from "./stop-texts.ts";

/** A token that was made. */
export interface MadeToken {
  /** Index on the timeline. */
  readonly at: number;
  /** Empty for a mark. */
  readonly bytes: Uint8Array;
  readonly logprob?: TokenLogprob | undefined;
}

/** Text that became visible, and the tokens that it ends. */
export interface Shown {
  readonly text: string;
  readonly tokens: readonly TokenLogprob[];
}

/** Where a stop text cut the timeline: tokens from `at` on go, `text` takes their place. */
export interface Cut {
  readonly at: number;
  readonly text: string;
}

export interface ShownText {
  /** Notes text that was shown before this one began. */
  pass(text: string, token: MadeToken): void;
  push(text: string, token: MadeToken): Shown;
  /** No more comes: what was held back. */
  end(): Shown;
  /** Once a stop text is complete. */
  readonly cut: Cut | undefined;
}

/** Tokens that end inside a character belong to the one that completes it. */
interface Group {
  readonly at: number;
  /** Characters before it. */
  readonly start: number;
  text: string;
  /** Its last bytes. */
  tail: readonly number[];
  readonly tokens: TokenLogprob[];
}

export function createShownText(stop: readonly string[]): ShownText {
  const scanner = createStopScanner(stop);
  const groups: Group[] = [];
  let [read, shown] = [0, 0];
  let cut: Cut | undefined;

  function note(text: string, token: MadeToken): void {
    const { at, bytes, logprob } = token;
    const last = groups.at(-1);
    const group =
      last && splitsCharacter(last.tail)
        ? last
        : { at, start: read, text: "", tail: [], tokens: [] };
    if (group !== last) groups.push(group);
    group.text += text;
    group.tail = bytes.length === 0 ? [] : [...group.tail, ...bytes].slice(-MOST_BYTES);
    if (logprob !== undefined && bytes.length > 0) group.tokens.push(logprob);
    read += text.length;
  }

  const endOf = ({ start, text }: Group): number => start + text.length;
  const isShown = (group: Group): boolean => endOf(group) <= shown && !splitsCharacter(group.tail);

  function release(done: (group: Group) => boolean): TokenLogprob[] {
    const kept = groups.findIndex((group) => !done(group));
    const gone = groups.splice(0, kept < 0 ? groups.length : kept);
    return gone.flatMap(({ tokens }) => tokens);
  }

  function findCut(): Cut {
    const group = groups.find((group) => endOf(group) > shown) as Group;
    return { at: group.at, text: group.text.slice(0, Math.max(0, shown - group.start)) };
  }

  return {
    pass(text, token) {
      note(text, token);
      shown = read;
      release(isShown);
    },
    push(text, token) {
      if (cut !== undefined) return { text: "", tokens: [] };
      note(text, token);
      const safe = scanner.push(text);
      shown += safe.text.length;
      if (safe.stopped) cut = findCut();
      const tokens = release(safe.stopped ? (group) => group.start < shown : isShown);
      return { text: safe.text, tokens };
    },
    end() {
      if (cut !== undefined) return { text: "", tokens: [] };
      const text = scanner.end();
      shown += text.length;
      return { text, tokens: release(() => true) };
    },
    get cut() {
      return cut;
    },
  };
}

/** Of one character in UTF-8. */
const MOST_BYTES = 4;

/** The bytes end inside a character. */
function splitsCharacter(tail: readonly number[]): boolean {
  const lead = tail.findLastIndex((byte) => (byte & 0xc0) !== 0x80);
  const first = tail[lead];
  if (first === undefined || first < 0xc0) return false;
  const length = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  return tail.length - lead < length;
}
