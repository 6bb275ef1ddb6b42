/**
 * What comes of calls that end in other ways than well: a driver's failures, effects that nobody
 * knows of, a second daemon in the middle, circles, clocks.
 */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Database } from "../../../src/durable/database.ts";
import { DeviceError } from "../../../src/os/kernel/device-error.ts";
import type { Kernel, Ticket } from "../../../src/os/kernel/kernel.ts";
import type { Program } from "../../../src/os/kernel/process.ts";
import type { Effect, Outcome, Reconciled, Syscall } from "../../../src/os/kernel/syscall.ts";
import { labelOf } from "../../../src/os/security/label.ts";
import { type Json, wholeLabel } from "../../../src/os/security/labelled.ts";
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
/** What the drivers below do next. */
let behave: () => Promise<Json> = async () => null;
let tries = 0;

const classes: readonly Effect[] = ["pure", "idempotent", "reconcilable", "irreversible"];
let reconcile: () => Reconciled;
const run: Syscall["run"] = async () => {
  tries += 1;
  return { value: await behave() };
};
const syscalls = [
  ...classes.map((effect) => row(`test.${effect}`, effect, run)),
  row("test.asked", "reconcilable", run, { reconcile: async () => reconcile() }),
];

const programs: Readonly<Record<string, Program>> = {
  once: async (sys) => {
    const outcome = await ask(sys, sys.input.value as string, {});
    outcomes.push(outcome);
    return typed(codeOf(outcome));
  },
  /** The same call for ever, unless it is told to do another thing as often as its input says. */
  circles: async (sys) => {
    const deaf = sys.input.value as number;
    for (let told = 0, i = 0; i < 100; i += 1) {
      const { note } = await ask(sys, "test.pure", { value: "same" });
      if (note !== undefined && ++told > deaf) return typed(note);
    }
    return typed("never told");
  },
  ticks: async () => typed("ticked"),
  long: async (sys) => typed(codeOf(await ask(sys, "time.sleep", { ms: 600_000 }))),
};
const outcomes: Outcome[] = [];

before(async () => {
  database = await testDatabase();
  kernel = await boot(database, programs, { syscalls, modelDriven: ["circles"] });
});
after(async () => {
  await kernel[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
});

const failures: readonly (readonly [name: string, error: Error, codes: readonly string[]])[] = [
  ["says that it failed", new DeviceError("x: no."), ["DEVICE", "DEVICE", "DEVICE", "DEVICE"]],
  [
    "does not know",
    new DeviceError("x: the line broke.", { uncertain: true }),
    ["DEVICE", "DEVICE", "unknown", "unknown"],
  ],
  ["throws anything", new Error("secret text"), ["DEVICE", "DEVICE", "DEVICE", "unknown"]],
];
for (const [name, error, codes] of failures) {
  test(`a driver that ${name} ends in its effect class's word`, async () => {
    behave = () => Promise.reject(error);
    const got = [];
    for (const effect of classes) {
      got.push(returned(await runToEnd(kernel, "once", { input: typed(`test.${effect}`) })));
    }
    assert.deepEqual(got, codes);
  });
}

test("foreign words of a failure are detail with labels, never the message", async () => {
  const labels = { label: labelOf("origin:a.example") };
  behave = () => Promise.reject(new DeviceError("x: no.", { detail: "ignore all", labels }));
  await runToEnd(kernel, "once", { input: typed("test.pure") });
  const outcome = outcomes.at(-1) as Outcome & { status: "error" };
  assert.deepEqual(outcome.error, { code: "DEVICE", message: "x: no.", detail: "ignore all" });
  assert.ok(wholeLabel(outcome.labels).integrity.has("origin:a.example"));
});

test("results that are no JSON, or too large, are failures; the daemon lives", async () => {
  for (const value of [new Map(), Number.NaN, "x".repeat(17 * 2 ** 20), () => 1]) {
    behave = async () => value as unknown as Json;
    const code = returned(await runToEnd(kernel, "once", { input: typed("test.pure") }));
    assert.equal(code, "DEVICE");
  }
});

test("an effect that happened is not told as failed for the size of its result", async () => {
  behave = async () => "x".repeat(17 * 2 ** 20);
  for (const effect of ["reconcilable", "irreversible"]) {
    const exit = await runToEnd(kernel, "once", { input: typed(`test.${effect}`) });
    assert.equal(returned(exit), "ok");
    assert.match(outcomes.at(-1)?.note ?? "", /it is done, but/);
  }
});

const fails = (error: Error): never => {
  throw error;
};
const findings: readonly (readonly [name: string, find: () => Reconciled, code: string])[] = [
  ["happened", () => ({ happened: true, result: { value: "done" } }), "ok"],
  ["did not happen", () => ({ happened: false }), "DEVICE"],
  ["cannot be told", () => ({ happened: undefined }), "unknown"],
  ["breaks again", () => assert.fail("away"), "unknown"],
  ["is denied", () => fails(new DeviceError("x: another's change.")), "DEVICE"],
];
for (const [name, find, code] of findings) {
  test(`what broke in the middle is asked for: it ${name}`, async () => {
    behave = () => Promise.reject(new Error("the connection ended in the commit"));
    reconcile = find;
    assert.equal(returned(await runToEnd(kernel, "once", { input: typed("test.asked") })), code);
  });
}

test("a second run takes over: the first one's result comes late, and settles the ticket", async () => {
  const effect = Promise.withResolvers<Json>();
  behave = () => effect.promise;
  tries = 0;
  const request = { program: "once", input: typed("test.irreversible"), capabilities: everything };
  const pid = await kernel.spawn(request);
  while (tries === 0) await sleep(5);
  // As a daemon would that finds this one dead: it claims the run, and meets an open intent.
  await database.pool.query("update process set runner = 'another' where pid = $1", [pid]);
  await database.pool.query(
    "insert into ticket (pid, call, kind, card, created_at) values ($1, 1, 'unknown', '{}', 1)",
    [pid],
  );
  effect.resolve("it happened");
  while ((await kernel.tickets({ pid })).length > 0) await sleep(5);
  const [ticket] = await kernel.tickets({ pid, all: true });
  assert.deepEqual(ticket?.answer, { kind: "happened", late: true });
  const kinds = (await kernel.journal(pid)).map(({ kind }) => kind);
  assert.deepEqual(kinds, ["start", "intent", "late", "ticket"], "no result of a run that lost");
  assert.equal((await kernel.process(pid))?.exit, undefined);
  await kernel.signal(pid, "KILL");
});

test("a circle makes a note, then a second attempt, then a question", async () => {
  behave = async () => "same";
  const told = returned(await runToEnd(kernel, "circles", { input: typed(0) }));
  assert.match(told as string, /3 times/);
  const pid = await kernel.spawn({ program: "circles", input: typed(8), capabilities: everything });
  const question = async (): Promise<Ticket | undefined> =>
    (await kernel.tickets()).find(({ kind }) => kind === "question");
  let ticket = await question();
  while (ticket === undefined) ticket = await question();
  const child = await kernel.process(ticket.pid);
  assert.equal(child?.parent, pid, "the second attempt is a child of the first");
  await kernel.answer(ticket.id, { kind: "reply", text: "go left" });
  const exit = await kernel.wait(pid);
  assert.deepEqual(
    exit,
    (await kernel.process(ticket.pid))?.exit,
    "its end is the first one's too",
  );
  assert.match(returned(exit) as string, /go left|times|choose/);
});

test("time that is over ends a wait and refuses the next call", async () => {
  const exit = await runToEnd(kernel, "long", { budget: { ms: 150 } });
  assert.equal(returned(exit), "BUDGET");
});

test("a schedule spawns a process at each tick, until it is taken away", async () => {
  const request = { program: "ticks", input: typed(null), title: "every second" };
  await kernel.schedule({ name: "often", cron: "* * * * * *", request });
  assert.deepEqual(
    (await kernel.schedules()).map(({ name }) => name),
    ["often"],
  );
  const ticked = async (): Promise<number> =>
    (await kernel.processes({ all: true })).filter(({ title }) => title === "every second").length;
  while ((await ticked()) < 1) await sleep(50);
  await kernel.unschedule("often");
  assert.deepEqual(await kernel.schedules(), []);
});

test("a row that breaks the rules of rows does not boot", async () => {
  const open = {
    ...row("test.open", "pure", async () => ({ value: 1 })),
    args: { type: "object" },
  };
  const twice = row("time.sleep", "pure", async () => ({ value: okValue }) as never);
  const other = await testDatabase();
  for (const bad of [open, twice]) {
    await assert.rejects(boot(other, {}, { syscalls: [bad] }), /closed object|two of/);
  }
  await other[Symbol.asyncDispose]();
});
