/** Reads Protocol Buffers without a schema: fields by number, in order; apart from the writer. */

export interface Field {
  readonly number: number;
  readonly value: bigint | Uint8Array;
}

export function readFields(bytes: Uint8Array): Field[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const fields: Field[] = [];
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[at++] as number;
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return BigInt.asIntN(64, value);
    }
  };
  while (at < bytes.length) {
    const key = Number(varint());
    const [number, wire] = [key >> 3, key & 7];
    if (wire === 0) fields.push({ number, value: varint() });
    else if (wire === 5) {
      fields.push({ number, value: bytes.subarray(at, at + 4) });
      at += 4;
    } else if (wire === 2) {
      const length = Number(varint());
      if (at + length > view.byteLength) throw new Error(`field ${number} is cut`);
      fields.push({ number, value: bytes.subarray(at, at + length) });
      at += length;
    } else throw new Error(`wire type ${wire}`);
  }
  return fields;
}

export const messages = (bytes: Uint8Array, number: number): Uint8Array[] =>
  readFields(bytes).flatMap((f) => (f.number === number ? [f.value as Uint8Array] : []));

export const texts = (bytes: Uint8Array, number: number): string[] =>
  messages(bytes, number).map((value) => new TextDecoder().decode(value));

export const numbers = (bytes: Uint8Array, number: number): number[] =>
  readFields(bytes).flatMap((f) => (f.number === number ? [Number(f.value)] : []));
