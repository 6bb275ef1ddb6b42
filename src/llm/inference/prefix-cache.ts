/**
 * Full pages by the text that they end: a tree whose edges are the ids of one page each, so that a
 * page is found only by all ids before it and in it (Kwon et al. 2023; Zheng et al. 2023). The
 * cache is a user of its pages; when memory is short it gives up those that nobody else uses, the
 * longest unused first, and never one that others build on.
 */
import type { PagePool } from "./pages.ts";

/** A full page of some beginning. */
export interface Prefix {
  readonly page: number;
  readonly id: number;
  readonly key: string;
  readonly parent: Prefix | undefined;
  /** Of those in the cache, how many go on from here. */
  children: number;
  lastUsed: number;
}

export class PrefixCache {
  readonly #pool: PagePool;
  readonly #prefixes = new Map<string, Prefix>();
  #nextId = 1;
  #clock = 0;

  constructor(pool: PagePool) {
    this.#pool = pool;
  }
  /** Pages held. */
  get size(): number {
    return this.#prefixes.size;
  }
  /**
   * The page after `parent` (undefined: the first) that holds these ids; the caller becomes a user.
   * @param ids of exactly one page
   */
  tryFind(parent: Prefix | undefined, ids: readonly number[]): Prefix | undefined {
    const found = this.#prefixes.get(keyOf(parent, ids));
    if (found === undefined) return undefined;
    found.lastUsed = this.#clock++;
    this.#pool.share(found.page);
    return found;
  }
  /** Keeps a full page for others; where they have an equal one already, that one stays. */
  add(parent: Prefix | undefined, ids: readonly number[], page: number): Prefix {
    const key = keyOf(parent, ids);
    const known = this.#prefixes.get(key);
    if (known !== undefined) return known;
    const lastUsed = this.#clock++;
    const prefix: Prefix = { page, id: this.#nextId++, key, parent, children: 0, lastUsed };
    if (parent !== undefined) parent.children++;
    this.#prefixes.set(key, prefix);
    this.#pool.share(page);
    return prefix;
  }
  /** Frees one page. @returns whether there was one to free */
  evict(): boolean {
    let oldest: Prefix | undefined;
    for (const prefix of this.#prefixes.values()) {
      const held = prefix.children > 0 || this.#pool.isShared(prefix.page);
      if (!held && prefix.lastUsed < (oldest?.lastUsed ?? Infinity)) oldest = prefix;
    }
    if (oldest !== undefined) this.#remove(oldest);
    return oldest !== undefined;
  }
  /** Forgets everything; pages that others use stay theirs. */
  clear(): void {
    for (const prefix of [...this.#prefixes.values()]) this.#remove(prefix);
  }
  #remove(prefix: Prefix): void {
    this.#prefixes.delete(prefix.key);
    if (prefix.parent !== undefined) prefix.parent.children--;
    this.#pool.release(prefix.page);
  }
}

const keyOf = (parent: Prefix | undefined, ids: readonly number[]): string =>
  `${parent?.id ?? 0}:${ids.join()}`;
