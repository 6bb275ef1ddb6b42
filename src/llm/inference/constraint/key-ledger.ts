/**
 * The keys that the open objects of a JSON text have by now. Which names were used is more than a
 * stack automaton can remember, so where names are free (`additionalProperties`, any JSON) this
 * reads the text beside it and says whether a key that closes is new. Text is assumed to be JSON,
 * and a name to have one spelling only: see `json-text.ts`. Ledgers are values; reading a byte
 * makes a new one only where something changed.
 */

interface Level {
  /** Absent in an array. */
  readonly keys: ReadonlySet<string> | undefined;
  readonly below: Level | undefined;
}

export interface KeyLedger {
  readonly level: Level | undefined;
  /** What a string would be here. */
  readonly expects: "key" | "value";
  /** Bytes of the string that is open, as latin-1; absent outside of strings. */
  readonly text?: string;
  readonly escaped?: true;
}

export const emptyLedger: KeyLedger = { level: undefined, expects: "value" };

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** @returns undefined when the byte closes a key that its object already has */
export function readByte(ledger: KeyLedger, byte: number): KeyLedger | undefined {
  if (ledger.text !== undefined) return inString(ledger, ledger.text, byte);
  const { level } = ledger;
  if (byte === QUOTE) return { ...ledger, text: "" };
  if (byte === 0x7b) return { level: { keys: new Set(), below: level }, expects: "key" };
  if (byte === 0x5b) return { level: { keys: undefined, below: level }, expects: "value" };
  if (byte === 0x7d || byte === 0x5d) return { level: level?.below, expects: "value" };
  if (byte === 0x2c) return { level, expects: level?.keys ? "key" : "value" };
  return byte === 0x3a ? { level, expects: "value" } : ledger;
}

function inString(ledger: KeyLedger, text: string, byte: number): KeyLedger | undefined {
  const { level, expects, escaped } = ledger;
  if (byte === QUOTE && !escaped) return closeString(level, expects, text);
  // Only keys are looked at again.
  const longer = expects === "key" ? text + String.fromCharCode(byte) : text;
  const read: KeyLedger = { level, expects, text: longer };
  return byte === BACKSLASH && !escaped ? { ...read, escaped: true } : read;
}

function closeString(
  level: Level | undefined,
  expects: "key" | "value",
  text: string,
): KeyLedger | undefined {
  if (expects === "value" || !level?.keys) return { level, expects };
  if (level.keys.has(text)) return undefined;
  return { level: { keys: new Set([...level.keys, text]), below: level.below }, expects };
}
