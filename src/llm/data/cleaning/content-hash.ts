/**
 * 64 bits of what a text says, whatever its case and spacing: equal texts are exact duplicates,
 * and the validation split follows from it, so it never changes. Two 32-bit FNV-like lanes over
 * lower-cased UTF-16 units with every run of white space as one space, then MurmurHash3's
 * finaliser on each.
 */
const SPACE = 32;

/** @returns an unsigned 64-bit integer */
export function contentHash(text: string): bigint {
  const folded = /[\u0080-\uffff]/.test(text) ? text.toLowerCase() : text;
  let low = 0x811c9dc5;
  let high = 0x9747b28c;
  let space = true;
  for (let i = 0; i < folded.length; i++) {
    let unit = folded.charCodeAt(i);
    if (isSpace(unit)) {
      if (space) continue;
      unit = SPACE;
      space = true;
    } else {
      space = false;
      if (unit >= 65 && unit <= 90) unit |= 32;
    }
    low = Math.imul(low ^ unit, 0x01000193);
    high = Math.imul(high ^ unit, 0x85ebca6b);
    high ^= high >>> 15;
  }
  if (space) return finishBoth(low, high);
  low = Math.imul(low ^ SPACE, 0x01000193);
  high = Math.imul(high ^ SPACE, 0x85ebca6b);
  high ^= high >>> 15;
  return finishBoth(low, high);
}

function isSpace(unit: number): boolean {
  return unit === SPACE || (unit >= 9 && unit <= 13) || unit === 0xa0;
}

function finishBoth(low: number, high: number): bigint {
  return (BigInt(finish(high)) << 32n) | BigInt(finish(low));
}

function finish(hash: number): number {
  let mixed = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
