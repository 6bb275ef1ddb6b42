/**
 * Text of strangers, made safe to look at: no control, no invisible or direction-changing mark, no
 * lone surrogate, no letter of another script inside a Latin word (which is how one address is
 * dressed up as another). What is escaped stands as `\u{202e}`, a backslash as two.
 */
import type { Label } from "./label.ts";

/** Controls, format and direction marks, surrogates, private use, unassigned, odd spaces. */
const unseen = /[\p{C}\p{Zl}\p{Zp}\u115f\u1160\u3164\uffa0]|[\ufe00-\ufe0f]|(?! )\p{Zs}/gu;
/** Marks stacked on each other, which run over the lines above and below. */
const stacked = /(?<=\p{M}\p{M})\p{M}+/gu;

/** Readable text of any script, harmless to show; nothing is cut. */
export function toInert(text: string): string {
  const plain = text.replaceAll("\\", "\\\\").replaceAll(unseen, escapeAll);
  return plain.replaceAll(stacked, escapeAll).replaceAll(/[\p{L}\p{M}\p{N}]+/gu, unmix);
}

/** For what names somebody or some place: nothing but ASCII. */
export function toAscii(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll(/[^ -~]/gu, escapeAll);
}

/** A word with Latin letters, or digits, and others is one of two: its others are escaped. */
function unmix(word: string): string {
  if (!/[\p{Script=Latin}]/u.test(word)) return word;
  return word.replaceAll(
    /(?![\p{Script=Latin}\p{Script=Common}\p{Script=Inherited}])./gu,
    escapeAll,
  );
}

function escapeAll(text: string): string {
  return Array.from(text, (char) => `\\u{${char.codePointAt(0)?.toString(16)}}`).join("");
}

/** An identifier, or a word that stands for one that is none. */
export function plainName(name: string): string {
  return /^[A-Za-z_][\w.-]{0,47}$/.test(name) ? name : "(unnamed)";
}

const maxSources = 8;
const maxSource = 120;

/** Untrusted sources of a label, for people: escaped, each cut, so many at most. */
export function sourceNames({ integrity }: Label): readonly string[] {
  const others = [...integrity].filter((source) => source !== "user" && source !== "config").sort();
  const names = others.slice(0, maxSources).map((source) => {
    const name = toAscii(source);
    return name.length > maxSource ? `${name.slice(0, maxSource)}...` : name;
  });
  return others.length > maxSources ? [...names, `${others.length - maxSources} more`] : names;
}
