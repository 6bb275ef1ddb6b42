/** Ctrl-C against a real process: one press stops gently, a second one at once. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

/** A program that says when it is interrupted and lives until its stdin closes. */
const program = `
  import { Interrupt } from ${JSON.stringify(new URL("../../src/cli/interrupt.ts", import.meta.url))};
  const interrupt = new Interrupt((text) => process.stderr.write(text));
  interrupt.signal.addEventListener("abort", () => console.log("aborted"));
  process.stdin.resume().on("end", () => {
    interrupt[Symbol.dispose]();
    console.log("listeners", process.listenerCount("SIGINT"));
  });
  console.log("ready");
`;

async function start(): Promise<{ child: ChildProcess; said(text: string): Promise<void> }> {
  const child = spawn(process.execPath, ["--input-type=module", "-e", program]);
  let out = "";
  child.stdout.on("data", (chunk) => (out += chunk));
  const said = async (text: string): Promise<void> => {
    while (!out.includes(text)) await once(child.stdout, "data");
  };
  await said("ready");
  return { child, said };
}

test("the first press aborts the signal and lets the program go on", async () => {
  const { child, said } = await start();
  child.kill("SIGINT");
  await said("aborted");
  child.kill("SIGINT"); // the same key press, delivered by npm as well
  child.stdin?.end();
  await said("listeners 0");
  const [code] = await once(child, "exit");
  assert.equal(code, 0);
});

test("a second press exits with 130 at once", async () => {
  const { child, said } = await start();
  child.kill("SIGTERM");
  await said("aborted");
  await sleep(400);
  const exit = once(child, "exit");
  child.kill("SIGINT");
  assert.deepEqual(await exit, [130, null]);
});
