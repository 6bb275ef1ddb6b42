/** Tasks over files: answers that count, the game of 24, splits, orders. */
import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { gzipSync } from "node:zlib";
import type { Message } from "../../../src/llm/chat/conversation.ts";
import { type FileTask, findFileTasks } from "../../../src/llm/tasks/file-tasks.node.ts";
import { makes24, solve24 } from "../../../src/llm/tasks/game24.ts";
import { splitOf, splitOfMessages } from "../../../src/llm/tasks/split.ts";

const folder = mkdtempSync(join(tmpdir(), "nutshell-file-tasks-"));
after(() => rmSync(folder, { recursive: true }));

const data = join(import.meta.dirname, "../../../../shared/data");
const says = (content: string): Message[] => [{ role: "assistant", content }];

function write(path: string, rows: readonly unknown[]): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  const text = rows.map((row) => `${JSON.stringify(row)}\n`).join("");
  writeFileSync(join(folder, path), gzipSync(text));
}

test("24: each number once, exact fractions, nothing but sums", () => {
  assert.ok(makes24("8 / (3 - 8 / 3)", [3, 3, 8, 8]));
  assert.ok(makes24("(1 + 2 + 3) * 4", [4, 3, 2, 1]));
  assert.ok(!makes24("24", [1, 2, 3, 4]));
  assert.ok(!makes24("4 * 6", [1, 4, 6, 1]));
  assert.ok(!makes24("1 * 2 * 3 * 4 * 1", [1, 2, 3, 4]));
  assert.ok(!makes24("12 + 3 * 4", [1, 2, 3, 4]));
  assert.ok(!makes24("1 + 2 + 3 + 4", [1, 2, 3, 4]));
  assert.ok(!makes24("2^3 * (4 - 1)", [1, 2, 3, 4]));
  assert.ok(!makes24("", []));
  assert.equal(solve24([1, 1, 1, 1]), undefined);
  assert.ok(makes24(solve24([3, 3, 8, 8]) ?? "", [3, 3, 8, 8]));
});

test("a file's rows: answers by value, one claim, splits kept, every row once an epoch", async () => {
  const row = (i: number): unknown => ({
    question: `Q${i}?`,
    answer: `<<1+${i}=9>>so\n#### 1,${String(i).padStart(3, "0")}`,
  });
  const sideOf = (i: number): string => splitOfMessages([{ role: "user", content: `Q${i}?` }]);
  const [trained, heldOut] = ["train", "test"].map((side) =>
    Array.from({ length: 100 }, (_, i) => i).filter((i) => sideOf(i) === side),
  ) as [number[], number[]];
  // SFT reads the same file and holds the same question out.
  const file = [...trained.slice(0, 4), heldOut[0] as number, trained[4] as number];
  write("math_rl/gsm8k/train.jsonl.gz", file.map(row));
  write("math_rl/gsm8k/test.jsonl.gz", [trained[5] as number].map(row));
  write("math_rl/aqua/aqua.jsonl.gz", [{ context: "Find x.", answer: "5(√3 + 1)" }]);
  const [gsm8k, aqua] = (await findFileTasks(folder)) as [FileTask, FileTask];
  assert.deepEqual(gsm8k.sizes, { train: 5, test: 2 });
  const asked = (epoch: number, seed: number): string[] =>
    [0, 1, 2, 3, 4].map(
      (i) => gsm8k.problem(epoch * 5 + i, "train", seed).prompt[0]?.content ?? "",
    );
  const all = trained.slice(0, 5).map((i) => `Q${i}?`);
  for (const epoch of [0, 1]) assert.deepEqual(asked(epoch, 1).sort(), all.toSorted());
  assert.deepEqual(asked(0, 1), asked(0, 1));
  const problem = gsm8k.problem(0, "test", 1);
  const right = 1000 + Number(/\d+/.exec(problem.prompt[0]?.content ?? ""));
  const grouped = right.toLocaleString("en-US");
  for (const good of [`Answer: ${right}`, `Well.\nAnswer: ${right}.0`, `Answer: ${grouped}.`]) {
    assert.equal(problem.grade(says(good)), 1, good);
  }
  const worthless = [`${right}`, `Answer: 1 Answer: ${right}`, `Answer: ${right} or 2`, "Answer: "];
  for (const text of worthless) assert.equal(problem.grade(says(text)), 0, text);
  assert.deepEqual(aqua.sizes, { train: 0, test: 1 });
  assert.throws(() => aqua.problem(0, "train", 1), /no problems in split train/);
  assert.equal(aqua.problem(7, "test", 1).grade(says("Answer: 5(√3+1).")), 1);
});

const absent = existsSync(data) ? false : "needs ../shared/data";

test("the known files: sizes, solutions, sides", { skip: absent }, async () => {
  const found = new Map((await findFileTasks(data)).map((task) => [task.name, task]));
  assert.equal(found.get("aqua")?.sizes.train, 0);
  for (const task of found.values()) {
    assert.ok(task.sizes.test > 50, `${task.name}: ${task.sizes.test}`);
    for (let i = 0; i < 100; i++) {
      const problem = task.problem(i, "test", 1);
      assert.equal(problem.grade(problem.solution), 1, JSON.stringify(problem));
      assert.equal(problem.grade(says("Answer: 0.123")), 0);
    }
  }
  const sums = found.get("simple_arithmetic") as FileTask;
  for (let i = 0; i < sums.sizes.train; i++) {
    const sum = /^(\d+) - (\d+) =$/.exec(sums.problem(i, "train", 1).prompt[0]?.content ?? "");
    if (sum !== null) assert.equal(splitOf(`${sum[1]}-${sum[2]}`), "train");
  }
});
