/**
 * Which pages of the KV cache are in use, and by how many: timelines that share a past share its
 * pages, and the prefix cache is one user more. A page is free when nobody uses it. Only a page
 * with one user may be written to. What a page holds is none of this file's business.
 */

export class PagePool {
  readonly #free: number[];
  readonly #users: Int32Array;

  constructor(total: number) {
    this.#users = new Int32Array(total);
    this.#free = Array.from({ length: total }, (_, i) => total - 1 - i);
  }
  get total(): number {
    return this.#users.length;
  }
  get used(): number {
    return this.#users.length - this.#free.length;
  }
  /** A page with one user, or undefined when none is free. */
  tryTake(): number | undefined {
    const page = this.#free.pop();
    if (page !== undefined) this.#users[page] = 1;
    return page;
  }
  share(page: number): void {
    this.#users[page] = this.#usersOf(page) + 1;
  }
  release(page: number): void {
    const left = this.#usersOf(page) - 1;
    this.#users[page] = left;
    if (left === 0) this.#free.push(page);
  }
  isShared(page: number): boolean {
    return this.#usersOf(page) > 1;
  }
  #usersOf(page: number): number {
    const users = this.#users[page] ?? 0;
    if (users > 0) return users;
    throw new Error(`pages: a page must be in use to be shared or released, got page ${page}`);
  }
}
