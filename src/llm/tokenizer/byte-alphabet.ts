/**
 * The printable alphabet in which `tokenizer.json` writes bytes: printable Latin-1 characters
 * stand for themselves, the other 68 bytes for U+0100 onward. A space is "Ġ", a newline "Ċ".
 */

const PRINTABLE: readonly (readonly [number, number])[] = [
  [0x21, 0x7e],
  [0xa1, 0xac],
  [0xae, 0xff],
];

function createAlphabet(): readonly string[] {
  let next = 0x100;
  return Array.from({ length: 256 }, (_, byte) => {
    const stands = PRINTABLE.some(([low, high]) => byte >= low && byte <= high);
    return String.fromCodePoint(stands ? byte : next++);
  });
}

const characters = createAlphabet();
const bytes = new Map(characters.map((character, byte) => [character, byte]));

/** Writes bytes in the alphabet, one character a byte. */
export function toByteAlphabet(token: Uint8Array): string {
  return Array.from(token, (byte) => characters[byte]).join("");
}

/** Reads a token back; `undefined` when a character is outside the alphabet. */
export function tryFromByteAlphabet(text: string): Uint8Array | undefined {
  const token = Array.from(text, (character) => bytes.get(character));
  return token.includes(undefined) ? undefined : Uint8Array.from(token as number[]);
}
