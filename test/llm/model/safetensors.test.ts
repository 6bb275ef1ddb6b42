/** The safetensors header against bytes laid out by hand, and against every way to damage it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  decodeTensor,
  encodeHeader,
  encodeTensor,
  headerLength,
  type PlacedTensor,
  parseHeader,
  type StoredTensor,
} from "../../../src/llm/model/safetensors.ts";

const refusal = { code: "CHECKPOINT", name: "NutshellError" };

/** A file's tensors, as a reader finds them. */
function parse(file: Uint8Array, fileBytes = file.length): PlacedTensor[] {
  const length = headerLength(file.subarray(0, 8), fileBytes, "f");
  return parseHeader(file.subarray(8, 8 + length), fileBytes, "f");
}

/** A file from any header text: its length, the text, and `body` zero bytes. */
function fileOf(header: string, body: number): Uint8Array {
  const json = new TextEncoder().encode(header);
  const out = new Uint8Array(8 + json.length + body);
  new DataView(out.buffer).setBigUint64(0, BigInt(json.length), true);
  out.set(json, 8);
  return out;
}

test("reads a file laid out by hand, in the order of its bytes", () => {
  const header =
    '{"b":{"dtype":"BF16","shape":[3],"data_offsets":[8,14]},' +
    '"a":{"dtype":"F32","shape":[2,1],"data_offsets":[0,8]}}';
  const start = 8 + header.length;
  assert.deepEqual(parse(fileOf(header, 14)), [
    { name: "a", dtype: "F32", shape: [2, 1], offset: start, bytes: 8 },
    { name: "b", dtype: "BF16", shape: [3], offset: start + 8, bytes: 6 },
  ]);
});

const tensors = fc.uniqueArray(
  fc.record({
    name: fc.string({ minLength: 1 }).filter((name) => name !== "__metadata__"),
    dtype: fc.constantFrom("F32", "BF16", "F16"),
    shape: fc.array(fc.nat(5), { maxLength: 3 }),
  }),
  { selector: ({ name }) => name, maxLength: 6 },
) as fc.Arbitrary<StoredTensor[]>;

const bodyBytes = (list: readonly StoredTensor[]): number =>
  list.reduce(
    (sum, t) => sum + (t.dtype === "F32" ? 4 : 2) * t.shape.reduce((a, b) => a * b, 1),
    0,
  );

function encode(list: readonly StoredTensor[]): Uint8Array {
  const header = encodeHeader(list);
  const file = new Uint8Array(header.length + bodyBytes(list));
  file.set(header);
  return file;
}

test("what is written is read, for any names, types and shapes", () => {
  fc.assert(
    fc.property(tensors, (list) => {
      const found = new Map(parse(encode(list)).map((tensor) => [tensor.name, tensor]));
      assert.equal(found.size, list.length);
      for (const { name, dtype, shape } of list) {
        const { offset: _, bytes: __, ...rest } = found.get(name) as PlacedTensor;
        assert.deepEqual(rest, { name, dtype, shape });
      }
    }),
  );
});

test("the body starts at a multiple of eight", () => {
  fc.assert(fc.property(tensors, (list) => encodeHeader(list).length % 8 === 0));
});

test("a file of any other size is refused", () => {
  fc.assert(
    fc.property(tensors, fc.integer({ min: -400, max: 400 }), (list, change) => {
      const file = encode(list);
      fc.pre(change !== 0 && file.length + change >= 0);
      const cut = new Uint8Array(file.length + change);
      cut.set(file.subarray(0, cut.length));
      assert.throws(() => parse(cut), refusal);
    }),
  );
});

test("a changed header byte is refused or changes a name or type, never the bounds", () => {
  const list: StoredTensor[] = [
    { name: "model.embed.weight", dtype: "F32", shape: [5, 7] },
    { name: "lm_head.weight", dtype: "BF16", shape: [5, 7] },
  ];
  const file = encode(list);
  const header = file.length - bodyBytes(list);
  fc.assert(
    fc.property(fc.nat(header - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
      const damaged = file.slice();
      damaged[at] = (damaged[at] as number) ^ flip;
      let found: PlacedTensor[];
      try {
        found = parse(damaged);
      } catch (error) {
        assert.equal((error as { code: string }).code, "CHECKPOINT");
        return;
      }
      for (const { offset, bytes } of found)
        assert.ok(offset >= 0 && offset + bytes <= file.length);
    }),
    { numRuns: 2000 },
  );
});

test("random bytes are refused, whatever they claim", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      assert.throws(() => parse(bytes), refusal);
    }),
  );
});

const entry = (offsets: string, shape = "[1]", dtype = '"F32"'): string =>
  `{"dtype":${dtype},"shape":${shape},"data_offsets":${offsets}}`;

const damaged: [string, string, number, RegExp][] = [
  ["duplicate names", `{"a":${entry("[0,4]")},"a":${entry("[0,4]")}}`, 4, /got "a" twice/],
  ["escaped duplicates", `{"a":${entry("[0,4]")},"\\u0061":${entry("[0,4]")}}`, 4, /"a" twice/],
  ["overlap", `{"a":${entry("[0,4]")},"b":${entry("[2,6]")}}`, 6, /b: must start at byte/],
  ["a gap", `{"a":${entry("[0,4]")},"b":${entry("[8,12]")}}`, 12, /without gap/],
  ["a late start", `{"a":${entry("[4,8]")}}`, 8, /must start/],
  ["spare bytes at the end", `{"a":${entry("[0,4]")}}`, 5, /file must have/],
  ["too few bytes", `{"a":${entry("[0,8]")}}`, 8, /must have 4 bytes, got 8/],
  ["a negative offset", `{"a":${entry("[-4,0]")}}`, 0, /data_offsets/],
  ["a fraction", `{"a":${entry("[0,4]", "[0.5,2]")}}`, 4, /shape/],
  ["a huge size", `{"a":${entry("[0,4]", "[1e300]")}}`, 4, /shape/],
  ["an unknown type", `{"a":${entry("[0,4]", "[1]", '"I64"')}}`, 4, /dtype.*"I64"/],
  ["an inherited type", `{"a":${entry("[0,4]", "[1]", '"toString"')}}`, 4, /dtype/],
  ["a missing entry", '{"a":null}', 0, /dtype must be/],
  ["a list", "[1, 2]", 0, /must be an object/],
  ["no JSON", "{'a': 1}", 0, /must be JSON/],
];
for (const [what, header, body, message] of damaged)
  test(`refused: ${what}`, () => {
    assert.throws(() => parse(fileOf(header, body)), { ...refusal, message });
  });

test("refused: header lengths that cannot be", () => {
  for (const length of [0n, 1n, 57n, 1n << 40n, (1n << 64n) - 1n]) {
    const file = new Uint8Array(64);
    new DataView(file.buffer).setBigUint64(0, length, true);
    assert.throws(() => parse(file), { ...refusal, message: /header length must be/ });
  }
  assert.throws(() => parse(new Uint8Array(3)), { ...refusal, message: /needs 8 bytes/ });
});

test("values survive: f32 exactly, bf16 rounded once, f16 widened", () => {
  const values = Float32Array.of(0, -0, 1.5, -Math.PI, 1e-40, 3.4e38, Infinity);
  assert.deepEqual(decodeTensor(encodeTensor(values, "F32"), "F32"), values);
  const narrow = decodeTensor(encodeTensor(values, "BF16"), "BF16");
  assert.deepEqual([...narrow.slice(0, 4)], [0, -0, 1.5, -3.140625]);
  assert.equal(narrow[6], Infinity);
  const halves = Uint16Array.of(0x3c00, 0xc000, 0x0001, 0x7bff, 0x7c00, 0x8000, 0x3555);
  const widened = decodeTensor(new Uint8Array(halves.buffer), "F16");
  assert.deepEqual([...widened], [1, -2, 2 ** -24, 65504, Infinity, -0, 0.333251953125]);
});

test("a tensor may start at any byte of a buffer", () => {
  const bytes = new Uint8Array(9);
  new DataView(bytes.buffer).setFloat32(1, 2.5, true);
  assert.deepEqual([...decodeTensor(bytes.subarray(1, 9), "F32")], [2.5, 0]);
});
