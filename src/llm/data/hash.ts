/**
 * A hash of document ids: FNV-1a over UTF-16 units, then the MurmurHash3 finaliser so that low bits
 * are as good as high ones. Splits and samples depend on it, so it never changes.
 */

/** @returns an unsigned 32-bit integer */
export function hashText(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) {
    hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
