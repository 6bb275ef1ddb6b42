/** Who is served next: scripted and random orders of arrival, and what everyone may count on. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { chooseSteps, enter, nextRun, planLanes } from "../../../src/llm/inference/admission.ts";

interface Text {
  readonly name: number;
  served: number;
  arrived: number;
  /** Turns since it began to wait. */
  waited: number;
  total: number;
}

/** Turns of `most` lanes; texts come as scripted, each waits again as soon as it was served. */
function serve(arrivals: readonly number[], most: number, onTurn: (texts: Text[]) => void): Text[] {
  const texts: Text[] = [];
  let clock = 0;
  for (const coming of arrivals) {
    for (let i = 0; i < coming; i++) {
      const served = enter(0, texts);
      texts.push({ name: texts.length, served, arrived: clock++, waited: 0, total: 0 });
    }
    const chosen = chooseSteps(texts, most);
    for (const text of texts) text.waited++;
    for (const text of chosen)
      Object.assign(text, {
        served: text.served + 1,
        arrived: clock++,
        waited: 0,
        total: text.total + 1,
      });
    onTurn(texts);
  }
  return texts;
}

test("texts that are always there get the same, whoever comes beside them", () => {
  // Seven at first, then a newcomer each turn for a while, then nobody.
  const arrivals = [7, ...new Array<number>(20).fill(1), ...new Array<number>(200).fill(0)];
  const texts = serve(arrivals, 3, () => {});
  const first = texts.slice(0, 7).map(({ total }) => total);
  assert.ok(Math.max(...first) - Math.min(...first) <= 1, `${first}`);
  const late = texts.slice(7).map(({ total }) => total);
  assert.ok(Math.max(...late) <= Math.min(...first) + 1 && Math.min(...late) >= 20, `${late}`);
});

test("nobody waits longer than it takes to serve everyone who is there, twice over", () => {
  const orders = fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 1, maxLength: 60 });
  fc.assert(
    fc.property(orders, fc.integer({ min: 1, max: 5 }), (arrivals, most) => {
      serve(arrivals, most, (texts) => {
        const bound = 2 * Math.ceil(texts.length / most);
        for (const { waited } of texts) assert.ok(waited <= bound, `${waited} of ${bound}`);
      });
    }),
  );
});

test("who comes back after a pause neither jumps the line nor is held back", () => {
  const present = [
    { served: 40, arrived: 0 },
    { served: 45, arrived: 1 },
  ];
  assert.deepEqual([enter(3, present), enter(43, present), enter(3, [])], [40, 43, 3]);
});

test("prefill and decode take turns while both wait", () => {
  const kinds: string[] = [];
  for (let i = 0, steps = 0; i < 7; i++) {
    const kind = nextRun(true, true, steps);
    steps = kind === "fill" ? 0 : steps + 1;
    kinds.push(kind);
  }
  assert.deepEqual(kinds, ["step", "step", "fill", "step", "step", "fill", "step"]);
  assert.deepEqual([nextRun(true, false, 0), nextRun(false, true, 9)], ["fill", "step"]);
});

test("lanes go round the texts, and every id is in one of them, once and in order", () => {
  const backlog = fc.record({ from: fc.nat(70), length: fc.integer({ min: 1, max: 300 }) });
  const sizes = fc.constantFrom([16, 16], [64, 16], [64, 64], [64, 32]);
  fc.assert(
    fc.property(
      fc.array(backlog, { minLength: 1, maxLength: 6 }),
      sizes,
      fc.integer({ min: 1, max: 8 }),
      (jobs, [chunk = 0, page = 0], lanes) => {
        const at = jobs.map(({ from }) => from);
        const ends = jobs.map(({ from, length }) => from + length);
        const line = [...jobs.keys()];
        for (let run = 0; line.length > 0; run++) {
          assert.ok(run < 200, "it ends");
          const waiting = line.map((job) => ({ from: at[job] as number, to: ends[job] as number }));
          const plan = planLanes(waiting, lanes, chunk, page);
          assert.ok(plan.length >= 1 && plan.length <= lanes);
          const each = Math.min(lanes, line.length);
          assert.deepEqual(
            plan.slice(0, each).map(({ job }) => job),
            line.slice(0, each).map((_, i) => i),
          );
          for (const [i, { job, from, to }] of plan.entries()) {
            const own = line[job] as number;
            assert.equal(from, at[own]);
            assert.ok(to > from && to - from <= chunk);
            const continued = plan.slice(i + 1).some((lane) => lane.job === job);
            assert.ok(!continued || to % page === 0);
            at[own] = to;
          }
          const served = new Set(plan.map(({ job }) => line[job] as number));
          const rest = line.filter((job) => !served.has(job));
          const again = [...served].filter((job) => (at[job] as number) < (ends[job] as number));
          line.splice(0, line.length, ...rest, ...again);
        }
      },
    ),
  );
});
