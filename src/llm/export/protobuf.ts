/**
 * Protocol Buffers, the writing half: varints, fixed floats, strings and nested messages, of which
 * every length is known before its bytes are. A part may be bytes that are loaded only when they
 * are written, so a model's weights never lie in memory together.
 */

/** Bytes that are made when they are needed. */
export interface LateBytes {
  readonly length: number;
  load(): Promise<Uint8Array>;
}

export type Part = Uint8Array | LateBytes;

/** Parts in the order of the file. */
export type Message = readonly Part[];

const [VARINT, LENGTH, FIXED32] = [0, 2, 5] as const;
const utf8 = new TextEncoder();

/** @param value a safe integer; a negative one takes ten bytes, as the format demands */
function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let left = BigInt.asUintN(64, BigInt(value));
  do {
    const low = Number(left & 0x7fn);
    left >>= 7n;
    bytes.push(left > 0n ? low | 0x80 : low);
  } while (left > 0n);
  return Uint8Array.from(bytes);
}

const key = (field: number, wire: number): Uint8Array => varint(field * 8 + wire);

export function messageLength(message: Message): number {
  return message.reduce((sum, { length }) => sum + length, 0);
}

export function intField(field: number, value: number): Message {
  return [key(field, VARINT), varint(value)];
}

export function floatField(field: number, value: number): Message {
  return [key(field, FIXED32), new Uint8Array(Float32Array.of(value).buffer)];
}

export function stringField(field: number, text: string): Message {
  return messageField(field, [utf8.encode(text)]);
}

/** A nested message, or bytes. */
export function messageField(field: number, message: Message): Message {
  return [key(field, LENGTH), varint(messageLength(message)), ...message];
}

/** @returns the message's bytes, neighbours that are at hand joined */
export async function* messageChunks(message: Message): AsyncGenerator<Uint8Array> {
  let held: Uint8Array[] = [];
  for (const part of message) {
    if (part instanceof Uint8Array) {
      held.push(part);
      continue;
    }
    yield joinBytes(held);
    held = [];
    const bytes = await part.load();
    if (bytes.length !== part.length)
      throw new Error(`protobuf: a part must have ${part.length} bytes, got ${bytes.length}`);
    yield bytes;
  }
  yield joinBytes(held);
}

function joinBytes(parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(messageLength(parts));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}
