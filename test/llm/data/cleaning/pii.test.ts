/**
 * Masks: what must go, what must stay, and that no text makes the patterns slow.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { maskKinds, maskPersonal } from "../../../../src/llm/data/cleaning/pii.ts";

/** Built at run time, so that no scanner takes this file for a leak. */
const random = (length: number): string => "aB3xY7kQ9mZ2".repeat(9).slice(0, length);
const begin = ["-----BEGIN RSA", "PRIVATE KEY-----"].join(" ");
const end = ["-----END RSA", "PRIVATE KEY-----"].join(" ");

const masked: readonly [text: string, expected: string][] = [
  ["Write to jane.doe+news@mail.example.org.", "Write to [email]."],
  ["name [at] host dot com", "[email]"],
  ["Ask name(at)host.com today", "Ask [email] today"],
  ["Jo (dot) Doe (at) nara (dot) gov", "[email]"],
  ["jürgen@müller.de", "[email]"],
  ["call 415-558-5508 or (202) 785-2024", "call [phone] or [phone]"],
  ["+1-(514)-280-2880", "[phone]"],
  ["London +44 20 7158 0125", "London [phone]"],
  ["Tel.: 030 1234 5678", "Tel.: [phone]"],
  ["from 143.231.249.141.", "from [ip address]."],
  ["at 2607:f8b0:4005:805::200e now", "at [ip address] now"],
  ["card 4111 1111 1111 1111, thanks", "card [card number], thanks"],
  ["5500-0000-0000-0004", "[card number]"],
  ["3782 822463 10005", "[card number]"],
  ["DE89 3704 0044 0532 0130 00", "[bank account]"],
  ["GB82WEST12345698765432", "[bank account]"],
  ["SSN 219-09-9999", "SSN [social security number]"],
  [`key sk-${random(40)}`, "key [api key]"],
  [`sk-proj-${random(40)}`, "[api key]"],
  [`A${"KIA"}IOSFODNN7EXAMPLE`, "[api key]"],
  [`ghp_${random(36)}`, "[api key]"],
  [`${begin}\nMIIEow${random(60)}\n${end}\nafter`, "[private key]\nafter"],
];

for (const [text, expected] of masked) {
  test(`masks ${JSON.stringify(text.slice(0, 40))}`, () => {
    assert.equal(maskPersonal(text).text, expected);
  });
}

const kept: readonly string[] = [
  "version 1.2.3.4 and 9.0.115.0, section 11.1.6.24",
  "192.168.1.20, 10.0.0.138, 127.0.0.1 and 203.0.113.77 belong to nobody",
  "2001:db8::1, ::1, fe80::1, std::vector<int>, 12:30:45, 00:1a:2b:3c:4d:5e",
  "git clone git@github.com:user/repo.git",
  "the @Override of user@localhost, 5 @ 3 dollars, npm i react@18.2.0",
  "Call 1-800-273-8255 (toll-free).",
  "4111 1111 1111 1112 fails its check digit", // Luhn
  "DE89 3704 0044 0532 0130 01 fails its checksum",
  "000-12-3456, 666-12-3456, 912-12-3456, 123-00-4567, 2021-12-2022",
  "3.14159265358979323846, 1234567890123456, 2010-12-31, 1,000,000,000",
  "sk-learn-like-names-in-lower-case-only are words",
  "in 1914-1918, pages 123-456-7890123, ISBN 978-3-16-148410-0",
  "look at amazon dot com",
];

for (const text of kept) {
  test(`keeps ${JSON.stringify(text.slice(0, 40))}`, () => {
    assert.equal(maskPersonal(text).text, text);
  });
}

test("masks are counted by kind", () => {
  const { counts } = maskPersonal("a@b.co, 415-558-5508, c@d.co");
  assert.deepEqual(Object.fromEntries(counts), { email: 2, phone: 1 });
});

test("masking twice changes nothing", () => {
  const piece = fc.constantFrom(...masked.map(([text]) => text), ...kept, " ", "\n", "x", "@", "1");
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (parts) => {
      const once = maskPersonal(parts.join(" ")).text;
      assert.equal(maskPersonal(once).text, once);
    }),
    { numRuns: 500 },
  );
});

test("placeholders are masked by no other kind", () => {
  for (const { placeholder } of maskKinds) {
    assert.equal(maskPersonal(placeholder).text, placeholder);
  }
});

test("no run of characters makes it slow", () => {
  const runs = [
    "a",
    "a.",
    "1",
    "1.",
    "1 ",
    "1-",
    "a@",
    "@",
    "(at)",
    "+1",
    "A1",
    ":",
    "1:",
    "-----BEGIN ",
  ];
  for (const run of runs) {
    const text = run.repeat(200_000 / run.length);
    const start = performance.now();
    maskPersonal(`${text} x@ [at] +1 PRIVATE KEY sk- tel 2:2`);
    const ms = performance.now() - start;
    assert.ok(ms < 1500, `${JSON.stringify(run)} took ${ms} ms for 200 KB`);
  }
});
