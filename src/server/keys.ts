/**
 * API keys. Only their SHA-256 is kept, and a key that comes in is compared with every one in the
 * same time, so neither memory nor the clock tells anything about them.
 */
import { createHash, timingSafeEqual } from "node:crypto";
import { NutshellError } from "../error.ts";

export interface KeyRing {
  /** @returns a name for logs and limits, never the key; undefined for one that does not fit */
  find(key: string): string | undefined;
}

/**
 * @param lines one key each, or `sha256:` and 64 hex digits; empty ones and `#` comments are skipped
 * @throws CONFIG for a line that can be no key, or none at all
 */
export function createKeyRing(lines: readonly string[]): KeyRing {
  const kept = lines
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"));
  if (kept.length === 0)
    throw new NutshellError("CONFIG", "keys: must hold at least one key, got none.");
  const digests = kept.map(toDigest);
  return {
    find(key) {
      const digest = hash(key);
      let found: Buffer | undefined;
      for (const own of digests) if (timingSafeEqual(own, digest)) found = own;
      return found?.toString("hex").slice(0, 12);
    },
  };
}

function toDigest(line: string, i: number): Buffer {
  const [, hex] = /^sha256:([0-9a-f]{64})$/i.exec(line) ?? [];
  if (hex !== undefined) return Buffer.from(hex, "hex");
  if (/^[\x21-\x7e]{8,512}$/.test(line) && !line.startsWith("sha256:")) return hash(line);
  const rule = "must be 8 to 512 visible ASCII characters, or sha256: and 64 hex digits";
  throw new NutshellError("CONFIG", `keys: key ${i + 1} ${rule}.`);
}

function hash(key: string): Buffer {
  return createHash("sha256").update(key).digest();
}
