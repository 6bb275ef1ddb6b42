/** Processes over a real Postgres: births, ends, mail, rights and budgets between them. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Database } from "../../../src/durable/database.ts";
import type { Kernel } from "../../../src/os/kernel/kernel.ts";
import type { ProcessRecord, Program } from "../../../src/os/kernel/process.ts";
import type { Capability } from "../../../src/os/security/capability.ts";
import { bottom, fromUser, type Label, labelOf } from "../../../src/os/security/label.ts";
import {
  type Json,
  type Labelled,
  labelled,
  wholeLabel,
} from "../../../src/os/security/labelled.ts";
import { testDatabase } from "../../durable/test-database.ts";
import {
  ask,
  boot,
  codeOf,
  everything,
  okValue,
  returned,
  row,
  runToEnd,
  typed,
} from "./test-kernel.ts";

let database: Database;
let kernel: Kernel;
const keys: string[] = [];
let gate = Promise.resolve();

async function until(pid: number, is: (record: ProcessRecord) => boolean): Promise<void> {
  for (;;) {
    const record = await kernel.process(pid);
    if (record !== undefined && is(record)) return;
    assert.equal(record?.exit, undefined, "it ended before it got there");
    await sleep(5);
  }
}

/** Runs the steps that its input names, and returns what each came to. */
const script: Program = async (sys) => {
  const steps = sys.input.value as readonly (readonly [string, Json])[];
  const results: Json[] = [];
  for (const [name, args] of steps) {
    const outcome = await ask(sys, name, args);
    results.push(outcome.status === "ok" ? outcome.value.value : codeOf(outcome));
  }
  return typed(results);
};

const programs: Readonly<Record<string, Program>> = {
  script,
  /** Sends its child what it got, and returns the child's answer with labels. */
  boss: async (sys) => {
    const pid = okValue(await ask(sys, "process.spawn", { program: "worker", input: null }));
    await sys.call(
      "mail.send",
      labelled({ to: pid, body: "do it" }, labelOf("origin:evil.example")),
    );
    const mail = await ask(sys, "mail.recv", { from: pid });
    const exit = okValue(await ask(sys, "process.wait", { pid })) as { value: Json };
    assert.equal(mail.status, "ok");
    const label = mail.status === "ok" ? wholeLabel(mail.value.labels) : bottom;
    return typed([exit.value, [...label.integrity].sort()]);
  },
  worker: async (sys) => {
    const mail = await ask(sys, "mail.recv", {});
    assert.equal(mail.status, "ok");
    if (mail.status !== "ok") return typed(null);
    const { from } = mail.value.value as { from: number };
    await sys.call("mail.send", { value: { to: from, body: "done" }, labels: mail.value.labels });
    return mail.value;
  },
  sleeper: async (sys) => typed(codeOf(await ask(sys, "time.sleep", { ms: 60_000 }))),
  waitsForMail: async (sys) =>
    typed(codeOf(await ask(sys, "mail.recv", { from: sys.input.value as number }))),
  /** Parent and child wait for each other. */
  circle: async (sys) => {
    const spawn = { program: "waitsForMail", input: sys.pid };
    const pid = okValue(await ask(sys, "process.spawn", spawn));
    const outcome = await ask(sys, "process.wait", { pid });
    return typed(outcome.status === "ok" ? outcome.value.value : codeOf(outcome));
  },
  fails: () => Promise.reject(new TypeError("no\nsuch thing")),
};

before(async () => {
  database = await testDatabase();
  const effect = row("test.effect", "idempotent", async (_args, { key }) => {
    keys.push(key);
    return { value: keys.length };
  });
  const gated = row("test.gate", "idempotent", async () => {
    await gate;
    return { value: null };
  });
  kernel = await boot(database, programs, { syscalls: [effect, gated] });
});
after(async () => {
  await kernel[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
});

async function runScript(
  steps: readonly (readonly [string, Json])[],
  more: Parameters<typeof runToEnd>[2] = {},
): Promise<readonly Json[]> {
  return returned(await runToEnd(kernel, "script", { input: typed(steps), ...more })) as Json[];
}

test("mail carries the labels of what was sent, through a child and back", async () => {
  const [exit, sources] = returned(await runToEnd(kernel, "boss")) as [Json, string[]];
  assert.deepEqual((exit as { body: string }).body, "do it");
  assert.ok(sources.includes("origin:evil.example"), `${sources}`);
});

test("two processes read each other's mail, or write it, only with a grant", async () => {
  const other = await kernel.spawn({
    ...{ program: "sleeper", input: typed(null), capabilities: everything },
  });
  const letter = ["mail.send", { to: other, body: "hello" }] as const;
  assert.deepEqual(await runScript([letter]), ["NO_PROCESS"]);
  const grant = { call: "mail.send", where: { to: { oneOf: [other] } } };
  assert.deepEqual(await runScript([letter], { capabilities: [grant] }), [null]);
  const own = await runScript([["mail.recv", { timeoutMs: 0 }]]);
  assert.deepEqual(own, ["TIMEOUT"], "the letter lies in the other's box");
  await kernel.signal(other, "KILL");
});

test("a child's rights lie within its parent's, at birth and by grant", async () => {
  const capabilities = [{ call: "process.*" }, { call: "time.sleep" }];
  const spawn = (rights: Json): readonly [string, Json] => [
    "process.spawn",
    { program: "script", input: [["test.effect", {}]], capabilities: rights },
  ];
  const before = keys.length;
  const results = await runScript(
    [
      spawn([{ call: "*" }]),
      spawn([{ call: "test.effect" }]),
      spawn([{ call: "process.*" }]),
      ["test.effect", {}],
    ],
    { capabilities },
  );
  assert.deepEqual(results.toSpliced(2, 1), ["CAPABILITY", "CAPABILITY", "CAPABILITY"]);
  const exit = await kernel.wait(results[2] as number);
  assert.deepEqual(returned(exit), ["CAPABILITY"]);
  assert.equal(keys.length, before, "no effect without a right");
});

test("a process touches those below it and nobody else", async () => {
  const other = await kernel.spawn({
    program: "sleeper",
    input: typed(null),
    capabilities: everything,
  });
  const steps = ["process.wait", "process.signal", "process.renice", "process.revoke"].map(
    (name) => [name, { pid: other, ...more[name] }] as const,
  );
  assert.deepEqual(
    await runScript(steps),
    steps.map(() => "NO_PROCESS"),
  );
  await until(other, ({ state }) => state === "waiting");
  await kernel.signal(other, "KILL");
});
const more: Readonly<Record<string, { readonly [key: string]: Json }>> = {
  "process.signal": { signal: "KILL" },
  "process.renice": { nice: 19 },
  "process.revoke": { call: "*" },
};

test("a budget is cut out of the parent's and charged up the tree, together", async () => {
  const effect = ["test.effect", {}] as const;
  const child = (calls: number): readonly [string, Json] => [
    "process.spawn",
    { program: "script", input: Array(6).fill(effect), budget: { calls } },
  ];
  const before = keys.length;
  const pid = await kernel.spawn({
    ...{ program: "script", capabilities: everything, budget: { calls: 7 } },
    input: typed([child(100), child(4), ["process.wait", { pid: 1e9 }], effect, effect, effect]),
  });
  const results = returned(await kernel.wait(pid)) as Json[];
  assert.equal(results[0], "BUDGET", "a child cannot get more than is left");
  const waited = await kernel.wait(results[1] as number);
  const spent = keys.length - before;
  assert.ok(spent <= 7 - 3, `${spent} effects beside 3 calls of 7`);
  const codes = [...results.slice(3), ...(returned(waited) as Json[])];
  assert.ok(codes.filter((code) => code === "BUDGET").length >= 5, JSON.stringify(codes));
});

test("a wait that closes a circle is refused to whoever closes it", async () => {
  const exit = returned(await runToEnd(kernel, "circle"));
  const value = typeof exit === "string" ? exit : (exit as { value: Json }).value;
  assert.equal(value, "DEADLOCK");
});

test("a revoke reaches the tree, and calls under way keep to the rights they have", async () => {
  const pid = await kernel.spawn({
    ...{ program: "script", capabilities: everything },
    input: typed([
      ["process.spawn", { program: "sleeper", input: null }],
      ["time.sleep", { ms: 60_000 }],
      ["test.effect", {}],
    ]),
  });
  let child: number | undefined;
  while (child === undefined) {
    child = (await kernel.processes()).find(({ parent }) => parent === pid)?.pid;
  }
  await until(pid, ({ current }) => current === "time.sleep");
  assert.equal(await kernel.revoke(pid, "test.effect"), 2);
  assert.deepEqual((await kernel.process(child))?.capabilities, []);
  await kernel.grant(pid, { call: "time.*" });
  await kernel.signal(pid, "INT");
  const results = returned(await kernel.wait(pid)) as Json[];
  assert.deepEqual(results.slice(1), ["INTERRUPTED", "CAPABILITY"]);
  await kernel.signal(child, "KILL");
});

test("rights that changed unheard of hold for the very next call", async () => {
  const open = Promise.withResolvers<void>();
  gate = open.promise;
  const start = async (rights: readonly Capability[]): Promise<number> => {
    const input = typed([
      ["test.gate", {}],
      ["test.effect", {}],
    ]);
    const pid = await kernel.spawn({ program: "script", input, capabilities: rights });
    await until(pid, ({ current }) => current === "test.gate");
    return pid;
  };
  const change = "update process set capabilities = $2, rights = rights + 1 where pid = $1";
  const [less, more] = [await start([{ call: "*" }]), await start([{ call: "test.gate" }])];
  await database.pool.query(change, [less, '[{"call":"test.gate"}]']);
  await database.pool.query(change, [more, '[{"call":"*"}]']);
  const before = keys.length;
  open.resolve();
  assert.equal((returned(await kernel.wait(less)) as Json[])[1], "CAPABILITY");
  assert.equal((returned(await kernel.wait(more)) as Json[])[1], before + 1);
  assert.equal(keys.length, before + 1);
});

test("an end that throws is told in one line; the parent's orphan is reaped", async () => {
  const exit = await runToEnd(kernel, "fails");
  assert.deepEqual(exit, { how: "failed", code: "FAILED", message: "no\\u{a}such thing" });
  const results = await runScript([["process.spawn", { program: "sleeper", input: null }]]);
  const orphan = results[0] as number;
  const adopted = await kernel.process(orphan);
  assert.equal(adopted?.parent, 0);
  await kernel.signal(orphan, "KILL");
  assert.equal((await kernel.process(orphan))?.state, "dead");
});

test("what decided a spawn, or how, is in the label of all that the child does", async () => {
  const evil = labelOf("origin:evil.example");
  const value = { program: "script", input: [["time.sleep", { ms: 0 }]], nice: 3 };
  const ways: readonly [Labelled, Label | undefined][] = [
    [typed(value), evil],
    [
      { value, labels: { label: fromUser, parts: new Map([["nice", { label: evil }]]) } },
      undefined,
    ],
  ];
  for (const [args, pc] of ways) {
    const parent: Program = async (sys) =>
      typed(okValue(await sys.call("process.spawn", args, pc)));
    Object.assign(programs, { parent });
    const child = returned(await runToEnd(kernel, "parent")) as number;
    await kernel.wait(child);
    const intent = (await kernel.journal(child)).find(({ kind }) => kind === "intent");
    assert.deepEqual(JSON.parse(intent?.body ?? "{}").pc.integrity.at(0), "origin:evil.example");
  }
});

test("what is no call, no argument or too much is a named error, and the daemon lives", async () => {
  const deep = JSON.parse(`${"[".repeat(5000)}${"]".repeat(5000)}`) as Json;
  const hostile: readonly (readonly [string, Json])[] = [
    ["no.such", {}],
    ["__proto__", {}],
    ["test.effect", { other: 1 }],
    ["test.effect", null],
    ["test.effect", []],
    ["test.effect", { value: "x".repeat(10 * 2 ** 20) }],
    ["test.effect", { value: JSON.parse('{"a":{"__proto__":{"b":1}}}') }],
    ["test.effect", { value: { constructor: 1 } }],
    ["test.effect", { value: Number.NaN }],
    ["test.effect", { value: deep }],
    ["time.sleep", { ms: -1 }],
    ["time.sleep", { ms: 1.5 }],
  ];
  const program: Program = async (sys) => {
    const codes: string[] = [];
    for (const [name, args] of hostile) codes.push(codeOf(await ask(sys, name, args)));
    return typed(codes);
  };
  Object.assign(programs, { hostile: program });
  const before = keys.length;
  const pid = await kernel.spawn({
    program: "hostile",
    input: typed(null),
    capabilities: everything,
  });
  const codes = returned(await kernel.wait(pid)) as string[];
  assert.deepEqual(codes, ["NO_CALL", "NO_CALL", ...Array(10).fill("ARGUMENTS")]);
  assert.equal(keys.length, before);
  const told = (await kernel.journal(pid)).filter(({ kind }) => kind === "result");
  assert.equal(told.length, hostile.length, "the journal tells of each");
  assert.ok((await kernel.verifyJournal()).ok);
});
