/**
 * Rights: inclusion against a brute-force oracle over a finite universe of calls, and the tricks by
 * which a path or a host says one thing to the check and another to the driver.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  type Capability,
  type Constraint,
  covers,
  isNarrower,
  narrow,
} from "../../../src/os/security/capability.ts";
import type { Json } from "../../../src/os/security/labelled.ts";

const now = 1000;
const on = (constraint: Constraint): Capability[] => [{ call: "x.y", where: { a: constraint } }];
const allows = (constraint: Constraint, a: Json): boolean => {
  return covers(on(constraint), "x.y", { a }, now);
};

const paths = ["a", "a/b", "a//b", "./a/b", "ab", "/a", "/a/b", "/", "a/../b", "proc:7/a", "."];
const urls = [
  "https://e.org",
  "https://e.org/p",
  "https://e.org/p/q",
  "https://s.e.org/p",
  "http://E.org./pq",
  "https://e.org:8443/p",
  "https://xe.org/",
];
const scalars: Json[] = [null, true, 0, 1, 2, 7.5, "", "GET", ...paths, ...urls, { k: 1 }];
const values: Json[] = [...scalars, [], [1], [1, 2], ["a", "a/b"], [["a"]], urls.slice(0, 2)];
const methods: (Json | undefined)[] = [undefined, "GET", "POST", ["GET"]];
const argsUniverse: Json[] = values.flatMap((a) =>
  methods.map((method) => (method === undefined ? { a } : { a, method })),
);
const universe = [
  ...argsUniverse.map((args) => ({ call: "x.y", args })),
  ...["x", "x.y.z", "xz.y", "z.y"].map((call) => ({ call, args: { a: 1 } as Json })),
  { call: "x.y", args: { method: "GET" } },
  { call: "x.y", args: null },
];
const times = [0, 5, 10, 15];

const hosts = ["e.org", ".e.org", "s.e.org", ".org", "e.org:8443", ".s.e.org"];
const limits = [undefined, [], ["GET"], ["GET", "POST"]].flatMap((only) =>
  [undefined, "/", "/p", "/p/", "/p/q"].map((path) => ({
    ...(only !== undefined && { methods: only }),
    ...(path !== undefined && { path }),
  })),
);
const lists: Json[][] = [
  [],
  [1],
  [1, 2],
  [7.5, "x"],
  [[1]],
  [["a"], "a"],
  [{ k: 1 }],
  [null, true],
];
const constraints: readonly Constraint[] = [
  ...[...lists, ...urls.map((url) => [url]), ["a/b", "./a/b"]].map((oneOf) => ({ oneOf })),
  ...paths.map((under) => ({ under })),
  ...hosts.flatMap((host) => limits.map((more) => ({ host, ...more }))),
  ...[0, 1, 2, 10].map((atMost) => ({ atMost })),
];
const constraint: fc.Arbitrary<Constraint> = fc.constantFrom(...constraints);
const capability: fc.Arbitrary<Capability> = fc.record(
  {
    call: fc.constantFrom("*", "x.*", "x.y", "x.y.*", "z.*"),
    where: fc.oneof(
      fc.record({ a: constraint }),
      fc.record({ a: constraint, method: constraint }),
      fc.constant({}),
    ),
    expires: fc.constantFrom(5, 10),
  },
  { requiredKeys: ["call"] },
);

/** Oracle: is there a call at some time that the child covers and the parent does not? */
function widens(child: Capability, parent: Capability): boolean {
  return times.some((time) =>
    universe.some(({ call, args }) => {
      return covers([child], call, args, time) && !covers([parent], call, args, time);
    }),
  );
}

function coversSome(one: Capability): boolean {
  return universe.some(({ call, args }) => covers([one], call, args, 0));
}

test("a constraint within another covers no call that the other does not: all pairs", () => {
  const all = constraints.map((one) => on(one)[0] as Capability);
  const covered = all.map((one) => argsUniverse.map((args) => covers([one], "x.y", args, 0)));
  let [narrower, refused] = [0, 0];
  all.forEach((child, i) => {
    all.forEach((parent, j) => {
      const wide = covered[i]?.some((yes, call) => yes && !covered[j]?.[call]);
      const said = isNarrower(child, parent);
      assert.ok(!(said && wide), JSON.stringify([child, parent]));
      if (said) narrower += 1;
      if (!said && !wide && covered[i]?.includes(true)) refused += 1;
    });
  });
  assert.ok(narrower > 1500 && refused < narrower, `${narrower} narrower, ${refused} refused`);
});

test("no call is covered by a narrower right that its parent does not cover", () => {
  let narrower = 0;
  fc.assert(
    fc.property(capability, capability, (child, parent) => {
      const said = isNarrower(child, parent);
      if (said) narrower += 1;
      return !(said && widens(child, parent));
    }),
    { numRuns: 2000 },
  );
  assert.ok(narrower > 40, `only ${narrower} pairs are narrower`);
});

test("a right is within itself, and within the wider of its kind", () => {
  fc.assert(fc.property(capability, (one) => isNarrower(one, one) || !coversSome(one)));
  const chains: Constraint[][] = [
    [{ oneOf: ["a/b/c"] }, { under: "a/b" }, { under: "a" }, { under: "." }],
    [{ oneOf: [1] }, { atMost: 1 }, { atMost: 2 }],
    [{ host: "a.e.org" }, { host: ".a.e.org" }, { host: ".e.org" }],
    [
      { host: "e.org", methods: ["GET"], path: "/p/q" },
      { host: "e.org", path: "/p" },
      { host: "e.org" },
    ],
  ];
  for (const chain of chains) {
    chain.forEach((inner, i) => {
      chain.forEach((outer, j) => {
        const [a, b] = [on(inner)[0], on(outer)[0]] as [Capability, Capability];
        assert.equal(isNarrower(a, b), i <= j, JSON.stringify([inner, outer]));
      });
    });
  }
});

test("rights that are handed down are within one that is held, and end with it", () => {
  const held: Capability[] = [{ call: "files.*", where: { path: { under: "a" } }, expires: 9 }];
  const fits: Capability = { call: "files.read", where: { path: { under: "a/b" } } };
  const wide: Capability = { call: "files.read" };
  const late: Capability = { ...fits, expires: 10 };
  const { granted, refused } = narrow([fits, wide, late], held);
  assert.deepEqual(granted, [{ ...fits, expires: 9 }]);
  assert.deepEqual(refused, [wide, late]);
  assert.equal(covers(granted, "files.read", { path: "a/b/c" }, 8), true);
  assert.equal(covers(granted, "files.read", { path: "a/b/c" }, 9), false);
  fc.assert(
    fc.property(fc.array(capability), fc.array(capability), (asked, parents) => {
      const given = narrow(asked, parents);
      return given.granted.every((one) => parents.some((parent) => !widens(one, parent)));
    }),
    { numRuns: 200 },
  );
});

test("a path that climbs, hides or reads in two ways is under nothing", () => {
  const under: Constraint = { under: "work" };
  for (const fine of ["work", "work/a", "work//a/", "./work/a", "work/é", "work/100%"]) {
    assert.equal(allows(under, fine), true, fine);
  }
  const tricks = [
    ...["", "..", "work/..", "work/../etc", "/work/a", "workshop", "Work/a", "etc", "~/work"],
    ...["work/a\0", "work\\..\\etc", "work/%2e%2e/etc", "work/%2E%2e", "work%2fa", "work/%252e"],
    ...[
      "work/…",
      "work/．．/etc",
      "work/a／b",
      "work/a.",
      "work/a ",
      "work/a\u202e",
      "work/\u200b",
    ],
    ...["proc:7/work/a", "file:work", "work/\ud800", `work/${"a".repeat(5000)}`, "work/..."],
  ];
  for (const trick of tricks) assert.equal(allows(under, trick), false, JSON.stringify(trick));
  assert.equal(allows({ under: "." }, "proc:7/a"), false);
  assert.equal(allows({ under: "." }, ""), false);
  assert.equal(allows({ under: "" }, "a"), false);
  assert.equal(allows({ under: "proc:7" }, "proc:7/a"), true);
  assert.equal(allows({ under: "proc:7" }, "proc:71/a"), false);
});

test("a host is one host, however it is written", () => {
  const exact: Constraint = { host: "e.org" };
  for (const fine of ["https://e.org", "http://E.ORG:80/x", "e.org/x", "https://e.org./a?b#c"]) {
    assert.equal(allows(exact, fine), true, fine);
  }
  const tricks = [
    ...[
      "https://e.org.evil.com",
      "https://evil.com/e.org",
      "https://evil.com?e.org",
      "evil.com#e.org",
    ],
    ...["https://e.org@evil.com", "https://evil.com\\@e.org", "https://e.org%00.evil.com"],
    ...["https://evil.com\0.e.org", "https://e%2eorg", "ftp://e.org", "javascript:alert(1)//e.org"],
    ...[
      "data:text/html,e.org",
      "https://e.org:8443",
      "https://е.org",
      "https://e.org..",
      "//e.org",
    ],
    ...[
      "https:e.org",
      "https:///e.org",
      "file://e.org/a",
      " https://e.org",
      "https://e.org/\n",
      "",
    ],
    ...[
      "mailto:a@e.org",
      "https://sub.e.org",
      "https://ee.org",
      `https://e.org/${"a".repeat(9000)}`,
    ],
  ];
  for (const trick of tricks) assert.equal(allows(exact, trick), false, JSON.stringify(trick));
});

test("domains, addresses and ports", () => {
  const table: [string, string, boolean][] = [
    [".e.org", "https://e.org", true],
    [".e.org", "https://a.b.e.org", true],
    [".e.org", "https://xe.org", false],
    ["127.0.0.1", "http://0x7f.1/", true],
    ["127.0.0.1", "http://2130706433", true],
    ["127.0.0.1", "http://0177.0.0.1", true],
    ["127.0.0.1", "http://[::ffff:127.0.0.1]/", false],
    [".0.0.1", "http://127.0.0.1", false],
    ["[::1]", "http://[0:0::1]:80/", true],
    ["e.org:8443", "https://e.org:8443/", true],
    ["e.org:8443", "https://e.org/", false],
    ["bücher.example", "https://xn--bcher-kva.example/", true],
    ["E.org", "https://e.org", true],
    ["e.org/p", "https://e.org/p", false],
    ["", "https://e.org", false],
    [".", "https://e.org", false],
    ["*", "https://e.org", false],
  ];
  for (const [host, url, expected] of table) {
    assert.equal(allows({ host }, url), expected, `${host} ${url}`);
  }
});

test("methods and paths of a URL", () => {
  const where = { a: { host: "e.org", methods: ["GET"], path: "/p" } };
  const call = (args: Json) => covers([{ call: "x.y", where }], "x.y", args, now);
  assert.equal(call({ a: "https://e.org/p" }), true);
  assert.equal(call({ a: "https://e.org/p/q?x=1", method: "GET" }), true);
  for (const method of ["POST", "get", ["GET"], null, 1]) {
    assert.equal(call({ a: "https://e.org/p", method } as Json), method === null, String(method));
  }
  for (const path of ["", "/", "/pq", "/p/../q", "/p/%2e%2e/q", "/p%2fq", "/p/..;/q%5c"]) {
    assert.equal(call({ a: `https://e.org${path}` }), false, path);
  }
});

test("keys with the names of prototypes are keys like any other", () => {
  const where = JSON.parse('{"__proto__": {"oneOf": ["a"]}}');
  assert.equal(covers([{ call: "x", where }], "x", {}, now), false);
  assert.equal(covers([{ call: "x", where }], "x", JSON.parse('{"__proto__": "a"}'), now), true);
  const empty = JSON.parse('{"__proto__": {"oneOf": [{}]}}');
  assert.equal(covers([{ call: "x", where: empty }], "x", {}, now), false);
  const inherited: Capability = { call: "x", where: { constructor: { oneOf: [1] } } };
  assert.equal(covers([inherited], "x", {}, now), false);
  assert.equal(isNarrower({ call: "x" }, inherited), false);
});

test("what is malformed covers nothing, and nothing throws", () => {
  const malformed: unknown[] = [
    ...[null, 7, "x", [], {}, { call: 1 }, { call: "" }, { call: "x*" }, { call: "*x" }],
    ...[
      { call: "x", where: [] },
      { call: "x", where: { a: {} } },
      { call: "x", expires: "9" },
    ],
    ...[
      { call: "x", where: { a: { under: ".", atMost: 1 } } },
      { call: "x", extra: 1 },
    ],
    ...[
      { call: "x", where: { a: { host: "e.org", port: 1 } } },
      { call: "x", where: { a: null } },
    ],
    ...[
      { call: "x", where: { a: { atMost: Number.NaN } } },
      { call: "x", expires: Number.NaN },
    ],
  ];
  for (const one of malformed as Capability[]) {
    assert.equal(covers([one], "x", { a: "b" }, now), false, JSON.stringify(one));
    assert.equal(isNarrower(one, { call: "*" }), false, JSON.stringify(one));
    assert.equal(isNarrower({ call: "x" }, one), false, JSON.stringify(one));
  }
  const any = fc.anything() as fc.Arbitrary<never>;
  fc.assert(
    fc.property(fc.array(any), fc.string(), any, fc.double(), (held, call, args, time) => {
      covers(held, call, args, time);
      narrow(held, held);
    }),
  );
});

test("at most is said of numbers alone", () => {
  const values: Json[] = [1, 0, -5, 1.5, "0", "", null, false, [], [0], [0, 2], { valueOf: 0 }];
  const fine = values.map((value) => allows({ atMost: 1 }, value));
  assert.deepEqual(
    fine,
    values.map((_, i) => i < 3 || i === 9),
  );
});

test("a call's pattern is a name, a device or everything", () => {
  const table: [string, string, boolean][] = [
    ["*", "files.read", true],
    ["files.*", "files.read", true],
    ["files.*", "files", false],
    ["files.*", "filesystem.read", false],
    ["files.read", "files.readAll", false],
    ["files.read", "Files.read", false],
    ["files.*", "files.*", false],
  ];
  for (const [pattern, call, expected] of table) {
    assert.equal(covers([{ call: pattern }], call, {}, now), expected, `${pattern} ${call}`);
  }
});
