/** What people see of processes, calls and tickets, from records as the kernel gives them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { renderProcesses } from "../../../src/cli/os/process-list.ts";
import { renderTicket } from "../../../src/cli/os/ticket.ts";
import { renderTop } from "../../../src/cli/os/top.ts";
import { renderTrace } from "../../../src/cli/os/trace.ts";
import type { JournalRecord, Ticket } from "../../../src/os/kernel/kernel.ts";
import type { ProcessRecord } from "../../../src/os/kernel/process.ts";

function record(pid: number, more: Partial<ProcessRecord> = {}): ProcessRecord {
  return {
    ...{ pid, group: 1, program: "agent", title: `goal ${pid}`, owner: "me", state: "ready" },
    ...{ nice: 0, interactive: false, budget: {}, capabilities: [], approvals: "wait" },
    ...{ fileTree: `p${pid}`, calls: 0, startedAt: 0, endedAt: 5000 },
    spent: { tokens: 1200, microUsd: 0, calls: 7 },
    ...more,
  } as ProcessRecord;
}

test("children stand under their parents, whoever lost theirs is a root", () => {
  const processes = [
    record(5, { parent: 2 }),
    record(3, { parent: 9 }),
    record(2),
    record(4, { parent: 5 }),
  ];
  const lines = renderProcesses(processes, 200).trimEnd().split("\n");
  assert.deepEqual(
    lines.map((line) => /^ *(PID|\d+)/.exec(line)?.[1]),
    ["PID", "2", "5", "4", "3"],
  );
  assert.match(lines[2] as string, / {2}goal 5$/);
  assert.match(lines[3] as string, / {4}goal 4$/);
  assert.match(lines[1] as string, /ready +0 +7 +1\.20k +5\.0s/);
});

test("a title from outside cannot repaint the table", () => {
  const shown = renderProcesses([record(1, { title: "a\u001b[2J\nroot" })], 200);
  assert.ok(!shown.includes("\u001b"));
  assert.equal(shown.split("\n").length, 3);
});

test("top counts what was spent between two looks", () => {
  const later = record(1, { spent: { tokens: 1700, microUsd: 0, calls: 8 } });
  const shown = renderTop({ at: 0, processes: [record(1)] }, { at: 2000, processes: [later] }, 200);
  assert.match(shown, /^1 processes: .*; 250\.0 tok\/s, 0\.5 calls\/s\n/);
});

const label = (...integrity: string[]) => ({
  label: { integrity, readers: ["me"], influence: {} },
});
const intent = (call: number, name: string, kind: string): JournalRecord => ({
  ...{ pid: 1, index: 2 * call - 1, kind: "intent", call, at: 0, hash: "" },
  body: JSON.stringify({
    ...{ name, args: { path: "/a" }, labels: label("tool:mail", "user"), pc: label() },
    ...{ verdict: { kind, reasons: [] }, effect: "pure" },
  }),
});
const result = (call: number, body: object): JournalRecord => ({
  ...{ pid: 1, index: 2 * call, kind: "result", call, at: 0, hash: "" },
  body: JSON.stringify({ labels: label(), ms: 12.4, ...body }),
});

test("a call is one line: arguments, labels, verdict, outcome, time, cost", () => {
  const lines = renderTrace([
    intent(1, "files.read", "allow"),
    result(1, { status: "ok", value: "text", cost: { tokens: 1500 } }),
    intent(2, "mail.send", "deny"),
    result(2, { status: "error", error: { code: "POLICY", message: "no" } }),
    intent(3, "shell.run", "allow"),
    result(4, { intent: JSON.parse(intent(4, "clock.now", "allow").body), status: "ok", value: 1 }),
  ]);
  assert.deepEqual(lines, [
    '   1 files.read({"path":"/a"}) [from tool:mail, for me allow] = "text" {trusted, for me} <12 ms, 1.50k tok>',
    '   2 mail.send({"path":"/a"}) [from tool:mail, for me deny] = error {"code":"POLICY","message":"no"} <12 ms>',
    '   3 shell.run({"path":"/a"}) [from tool:mail, for me allow] …',
    '   4 clock.now({"path":"/a"}) [from tool:mail, for me allow] = 1 {trusted, for me} <12 ms>',
  ]);
});

test("a card names every argument and how to answer", () => {
  const ticket: Ticket = {
    ...{ id: 4, pid: 2, call: 3, kind: "approve", state: "open", createdAt: 0 },
    card: { call: "mail.send", arguments: [{ name: "to", value: "anna\u202e@uni.edu" }] },
  };
  assert.equal(
    renderTicket(ticket),
    [
      "#4 approve, pid 2, call 3",
      "  call: mail.send",
      "  arguments:",
      "    -",
      "      name: to",
      "      value: anna\\u{202e}@uni.edu",
      "  yes: nutshell approve 4    no: nutshell approve 4 --deny",
      "",
    ].join("\n"),
  );
});
