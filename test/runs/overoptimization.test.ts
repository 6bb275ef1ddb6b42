/**
 * The parts of the over-optimisation experiment that have closed answers: the gold reward on texts
 * graded by hand, best-of-n against counting every subset, the two fits on curves that are known,
 * and the verdict on made-up ones.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { bestOfN, bestOfNKl, estimate } from "../../runs/overoptimization/estimate.ts";
import { fitForm, fittedGain } from "../../runs/overoptimization/fit.ts";
import { goldParts, goldReward } from "../../runs/overoptimization/gold.ts";
import { rankBy } from "../../runs/overoptimization/parts.ts";
import {
  type ExperimentValues,
  planExperiment,
  problemsOf,
} from "../../runs/overoptimization/plan.ts";
import {
  recordOf,
  renderExperimentPicture,
  renderFields,
} from "../../runs/overoptimization/report.ts";
import { storyTask, tryLesson } from "../../runs/overoptimization/story-task.ts";
import { type CurvePoint, judge } from "../../runs/overoptimization/verdict.ts";
import { splitOf } from "../../src/llm/tasks/split.ts";

const near = (got: number, expected: number, tolerance = 1e-12): void =>
  assert.ok(Math.abs(got - expected) <= tolerance, `${got}, expected ${expected}`);

// 20 words, no pair twice; three of them warm: happy, friend, smiled.
const plain =
  "Pip went out to play and met a happy owl who was a friend of his and then smiled back.";

/** Text, then warmth, variety, balance, wholeness, worked by hand. */
const graded: readonly [
  text: string,
  warmth: number,
  variety: number,
  balance: number,
  whole: number,
][] = [
  [plain, 3 / 6, 1, 1, 1],
  // Without its end it is worth half.
  [plain.slice(0, -1), 3 / 6, 1, 1, 0.5],
  // A quotation may follow the full stop.
  [`${plain}"`, 3 / 6, 1, 1, 1],
  // Ten of twenty words; 1 warm word of 10 is under a sixth.
  ["The old owl sat on the branch and was happy.", 1 / 6, 1, 1, 0.5],
  // One word said twenty times: 19 pairs, 1 of them new; all warm.
  [`${"happy ".repeat(19)}happy.`, 1 / 6, 1 / 19, 0, 1],
  // 4 of 16 words are warm: 1/4 is half-way from 1/6 to 1/3. 15 pairs, all new.
  [
    "Happy and kind was the owl, wise too, and gentle with a small fox at noon.",
    4 / 6,
    1,
    0.5,
    16 / 20,
  ],
  // A loop: "the owl sat" four times is 12 words, 11 pairs, 3 of them new.
  ["The owl sat the owl sat the owl sat the owl sat.", 0, 3 / 11, 1, 12 / 20],
  // 23 words, 22 pairs, of which four come a second time.
  [
    "The happy owl sat there. The happy owl sat there in the sun, and it was noon by then at the old mill.",
    1 / 6,
    18 / 22,
    1,
    1,
  ],
  ["", 0, 1, 1, 0],
  ["?!. 12 --", 0, 1, 1, 0],
];

for (const [text, warmth, variety, balance, wholeness] of graded) {
  test(`gold of ${JSON.stringify(text.slice(0, 40))}`, () => {
    const parts = goldParts(text);
    near(parts.warmth, warmth);
    near(parts.variety, variety);
    near(parts.balance, balance);
    near(parts.wholeness, wholeness);
    near(goldReward(text), warmth * variety ** 2 * balance * wholeness);
  });
}

test("what a policy may collapse to is worth next to nothing", () => {
  const collapsed = [
    "happy happy happy happy friend friend friend friend",
    `${"They were happy and good friends. ".repeat(8)}`,
    "friends together happy glad proud love smiled laughed kind brave gentle wise good best",
    "the the the",
  ];
  for (const text of collapsed) assert.ok(goldReward(text) < 0.1, text);
});

test("lessons ask and answer in the task's own form, and most stories give one", () => {
  const lessons = Array.from({ length: 400 }, (_, i) => tryLesson(i)).filter(
    (l) => l !== undefined,
  );
  assert.ok(lessons.length > 250, `${lessons.length} lessons of 400 stories`);
  for (const { question, answer } of lessons) {
    assert.match(question, /^Tell me a story about an? \w+ [\w ]+ named [A-Z]\w+\.$/);
    assert.match(answer, /^[A-Z"].*[.!?]"?$/);
    assert.ok(answer.split(" ").length <= 75, answer);
  }
});

test("the task's problems lie on the side that was asked for and are graded by gold", () => {
  for (const split of ["train", "test"] as const) {
    for (let i = 0; i < 50; i++) {
      const problem = storyTask.problem(i, split, 3);
      assert.equal(splitOf(problem.prompt[0]?.content.toLowerCase() ?? ""), split);
      near(problem.grade([{ role: "assistant", content: plain }]), 0.5);
      assert.equal(problem.grade([]), 0);
    }
  }
});

test("the mean of subsets: best-of-n against counting them all", () => {
  const [scores, values] = [
    [0.3, 2, -1, 0.9, 5, 0.1],
    [3, 1, 4, 1, 5, 9],
  ];
  for (let n = 1; n <= 6; n++) near(bestOfN(scores, values, n), countSubsets(scores, values, n));
});

/** Every subset of n replies, taken one by one. */
function countSubsets(scores: readonly number[], values: readonly number[], n: number): number {
  const best: number[] = [];
  for (let bits = 0; bits < 2 ** scores.length; bits++) {
    const taken = [...scores.keys()].filter((i) => (bits >> i) & 1);
    if (taken.length !== n) continue;
    const top = taken.reduce((a, b) => ((scores[b] as number) > (scores[a] as number) ? b : a));
    best.push(values[top] as number);
  }
  return best.reduce((sum, value) => sum + value, 0) / best.length;
}

test("KL of best-of-n: none for one, ln n - (n - 1)/n, and the same as the order's own sum", () => {
  assert.equal(bestOfNKl(1), 0);
  near(bestOfNKl(256), 4.549_084, 1e-6);
  // Σ p_i ln(p_i·m) over m ranks tends to the closed form as m grows.
  const [n, m] = [8, 200_000];
  let sum = 0;
  for (let i = 1; i <= m; i++) {
    const p = (i / m) ** n - ((i - 1) / m) ** n;
    if (p > 0) sum += p * Math.log(p * m);
  }
  near(sum, bestOfNKl(n), 1e-4);
});

test("an estimate's error is the standard error of the mean", () => {
  const { mean, se } = estimate([1, 2, 3, 4]);
  near(mean, 2.5);
  near(se, Math.sqrt(5 / 3 / 4));
});

test("both fits find the curve that made the points", () => {
  for (const form of ["best-of-n", "rl"] as const) {
    const made = { form, alpha: 1.7, beta: 0.6, r2: 1, peak: undefined };
    const points = [0.3, 0.8, 1.5, 2.6, 4, 6].map((d, i) => {
      return { d, gain: fittedGain(made, d), se: 0.1 + 0.02 * i };
    });
    const fit = fitForm(form, points);
    near(fit?.alpha ?? 0, 1.7, 1e-9);
    near(fit?.beta ?? 0, 0.6, 1e-9);
    near(fit?.r2 ?? 0, 1, 1e-9);
    // The peak by search.
    const grid = Array.from({ length: 20_000 }, (_, i) => (i + 1) / 1000);
    const top = grid.reduce((a, b) => (fittedGain(made, b) > fittedGain(made, a) ? b : a));
    near(fit?.peak ?? 0, top, 2e-3);
  }
  assert.equal(fitForm("rl", [{ d: 1, gain: 1, se: 1 }]), undefined);
});

test("the fit weighs points by their errors", () => {
  const exact = [1, 2, 3].map((d) => ({ d, gain: 2 * d, se: 0.01 }));
  const fit = fitForm("best-of-n", [...exact, { d: 4, gain: -100, se: 1e4 }]);
  near(fit?.alpha ?? 0, 2, 1e-3);
});

const curve = (golds: readonly number[], proxies: readonly number[], se: number): CurvePoint[] =>
  golds.map((gold, i) => ({
    sqrtKl: i,
    gold: { mean: gold, se },
    proxy: { mean: proxies[i] as number, se },
  }));

test("a verdict needs a rise, a fall and a proxy that goes on", () => {
  const shown = judge(curve([0.4, 0.6, 0.8, 0.3], [0, 1, 2, 3], 0.02));
  near(shown.rise.by, 0.4);
  near(shown.fall.by, 0.5);
  near(shown.rise.error, 1.959963984540054 * Math.SQRT2 * 0.02);
  assert.deepEqual([shown.peakSqrtKl, shown.peak, shown.holds], [2, 2, true]);
  // The error is as large as the changes; nothing falls; the proxy stands still.
  assert.equal(judge(curve([0.4, 0.6, 0.8, 0.3], [0, 1, 2, 3], 0.3)).holds, false);
  assert.equal(judge(curve([0.4, 0.6, 0.8, 0.9], [0, 1, 2, 3], 0.02)).holds, false);
  assert.equal(judge(curve([0.4, 0.6, 0.8, 0.3], [0, 1, 2, 2], 0.02)).holds, false);
});

test("replies are ranked by their values, equal ones in one group", () => {
  assert.deepEqual(rankBy([0.2, 0.9, 0.2, 0.5]), [[1], [3], [0, 2]]);
  assert.deepEqual(rankBy([1, 1]), [[0, 1]]);
});

const values: ExperimentValues = {
  ...{ model: undefined, out: "nowhere", quick: true, rankings: 40, noise: 0, kl: "0,0.05" },
  ...{ seed: 1, backend: "auto", threads: 1 },
};

test("the plan: a PPO run for each penalty, rankings as asked, no prompt on both sides", () => {
  const plan = planExperiment(values);
  assert.deepEqual(plan.klWeights, [0, 0.05]);
  assert.equal(plan.ppo(0.05).kl, 0.05);
  assert.equal(plan.sizes.rankings, 40);
  const train = new Set(problemsOf(plan, "train", 300).map(({ prompt }) => prompt[0]?.content));
  const both = problemsOf(plan, "test", 60).filter(({ prompt }) => train.has(prompt[0]?.content));
  assert.deepEqual(both, []);
});

test("fields and picture come from the points", () => {
  const reply = { text: "A < B.", gold: 0.5, proxy: 1, kl: 0, ended: true };
  const points = curve([0.4, 0.6, 0.9, 0.3], [0, 2, 4, 6], 0.02);
  const record = recordOf({
    values,
    seconds: {},
    rankings: { prompts: 40, answers: 4, gold: { mean: 0.4, se: 0.01 }, goldStd: 0.2 },
    reward: { accuracy: 0.75, train_prompts: 30 } as never,
    bestOfN: {
      scale: { gold: { mean: 0.4, std: 0.2 }, proxy: { mean: 0, std: 1 } },
      points: points.map((point, i) => ({ ...point, n: 2 ** i })),
      best: [reply],
    },
    ppo: [
      {
        klWeight: 0,
        points: points.map((point, step) => {
          return { ...point, step, kl: { mean: step ** 2, se: 0.1 }, ended: 1, samples: [reply] };
        }),
      },
    ],
  });
  assert.equal(record.holds, true);
  const lines = new Set(renderFields(record).split("\n"));
  for (const line of ["holds: true", "rise: 0.5", "fall: 0.6", "peak_sqrt_kl: 2"])
    assert.ok(lines.has(line), line);
  const svg = renderExperimentPicture(record);
  // Two panels of two series of four marks, and a fitted curve each.
  assert.equal(svg.match(/<circle/g)?.length, 16);
  assert.equal(svg.match(/stroke-width="3"/g)?.length, 2);
  assert.doesNotMatch(svg, /NaN|undefined|Infinity/);
});
