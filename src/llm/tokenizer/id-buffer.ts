/** A growing list of token ids in a typed array; what every encoder writes to. */

/** Ids that an emptied list keeps room for. */
const KEPT = 1 << 20;
/** From here on V8 would make `new Array(length)` a hash table. */
const FAST_ARRAY = 2 ** 25;

export class IdBuffer {
  ids: Int32Array = new Int32Array(1024);
  length = 0;

  push(id: number): void {
    if (this.length === this.ids.length) this.reserve(1);
    this.ids[this.length++] = id;
  }

  /** Empties the list; the room of an unusually long one is given back. */
  clear(): void {
    if (this.ids.length > KEPT) this.ids = new Int32Array(1024);
    this.length = 0;
  }

  /** Makes room for `count` more ids, which the caller then writes into `ids` itself. */
  reserve(count: number): void {
    if (this.length + count <= this.ids.length) return;
    const larger = new Int32Array(Math.max(2 * this.ids.length, this.length + count));
    larger.set(this.ids.subarray(0, this.length));
    this.ids = larger;
  }

  toArray(): number[] {
    const ids = this.length < FAST_ARRAY ? new Array<number>(this.length) : [];
    for (let at = 0; at < this.length; at++) ids[at] = this.ids[at] as number;
    return ids;
  }

  toUint32(): Uint32Array<ArrayBuffer> {
    return new Uint32Array(this.ids.subarray(0, this.length));
  }
}
