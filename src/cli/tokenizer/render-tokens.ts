/**
 * Tokens as people read them: on a terminal the text itself on two alternating backgrounds,
 * elsewhere a line per token with its id. What would move the cursor is escaped, and so are the
 * bytes of a token that ends inside a character.
 */
import type { Tokenizer } from "../../llm/tokenizer/tokenizer.ts";
import { formatCount } from "../format.ts";

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const BACKGROUNDS = ["\x1b[30;48;5;153m", "\x1b[30;48;5;222m"];
const RESET = "\x1b[0m";

/** The token's text where its bytes are whole characters, else its bytes as `\xE2\x82`. */
export function tokenText(tokenizer: Tokenizer, id: number): string {
  const special = [...tokenizer.specialTokens].find(([, specialId]) => specialId === id);
  if (special !== undefined) return special[0];
  const bytes = tokenizer.tokenBytes(id);
  try {
    return utf8.decode(bytes).replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, escapeCharacter);
  } catch {
    return Array.from(bytes, (byte) => asciiOrHex(byte)).join("");
  }
}

const hexByte = (byte: number): string => `\\x${byte.toString(16).toUpperCase().padStart(2, "0")}`;

function asciiOrHex(byte: number): string {
  return byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : hexByte(byte);
}

/** A character without a shape of its own. */
function escapeCharacter(character: string): string {
  const code = character.codePointAt(0) as number;
  const named = { 9: "\\t", 10: "\\n", 13: "\\r" }[code];
  return named ?? (code < 0x80 ? hexByte(code) : `\\u{${code.toString(16).toUpperCase()}}`);
}

/** @param bytes UTF-8 length of what was encoded */
export function renderTokens(
  tokenizer: Tokenizer,
  ids: ArrayLike<number>,
  bytes: number,
  color: boolean,
): string {
  const texts = Array.from(ids, (id) => tokenText(tokenizer, id));
  const rate = ids.length > 0 ? `, ${(bytes / ids.length).toFixed(2)} bytes a token` : "";
  const summary = `${formatCount(ids.length)} tokens, ${formatCount(bytes)} bytes${rate}\n`;
  return (color ? onBackgrounds(texts) : asLines(ids, texts)) + summary;
}

/** The terminal goes to a new line where the text does. */
function onBackgrounds(texts: readonly string[]): string {
  const shown = texts.map((text, i) => {
    const line = text.includes("\\n") ? "\n" : "";
    return `${BACKGROUNDS[i % BACKGROUNDS.length]}${text}${RESET}${line}`;
  });
  return shown.length === 0 ? "" : `${shown.join("").replace(/\n$/, "")}\n`;
}

function asLines(ids: ArrayLike<number>, texts: readonly string[]): string {
  const width = Math.max(0, ...Array.from(ids, (id) => `${id}`.length));
  return texts.map((text, i) => `${`${ids[i]}`.padStart(width)}  ${text}\n`).join("");
}
