/**
 * A daemon that is made to be killed. Each lane, a process of its own, is held at the boundary that
 * its round names; once all are held it says so, and waits for death, or for the next round. Beside
 * it sits the person who settles unknown outcomes by looking at the world.
 *
 *     argv    URL FOLDER LANES ROUND
 *     stdin   a later round, when it was not killed: [[lane, operation, boundary]…]
 *     stdout  "held" | "end {lane: exit…}"
 */
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { openDatabase } from "../../../../src/durable/database.ts";
import type { Kernel } from "../../../../src/os/kernel/kernel.ts";
import type { Boundary } from "../../../../src/os/kernel/options.ts";
import { boot, everything, typed } from "../test-kernel.ts";
import { errand, errandCalls, nameOf } from "./errand.ts";
import { openWorld } from "./world.ts";

export type Point = readonly [lane: number, operation: number, boundary: Boundary];

const [url = "", folder = "", laneList = "", firstRound = "[]"] = process.argv.slice(2);
const lanes = laneList.split(",").map(Number);
const world = openWorld(`${folder}/world`);
/** The operation that each process is at, and the number of its call. */
const places = new Map<number, { readonly lane: number; operation: number; call: number }>();
let points = toRound(firstRound);
let held = 0;
let release: () => void;
let released = new Promise<void>((resolve) => (release = resolve));

createInterface({ input: process.stdin }).on("line", (line) => {
  const go = release;
  points = toRound(line);
  held = 0;
  released = new Promise((resolve) => (release = resolve));
  go();
  sayIfHeld();
});

function toRound(text: string): Map<number, Point> {
  return new Map((JSON.parse(text) as readonly Point[]).map((point) => [point[0], point]));
}

async function atBoundary(boundary: Boundary, pid: number, call: number): Promise<void> {
  const place = places.get(pid);
  if (place?.call !== call) return;
  const point = points.get(place.lane);
  if (point?.[1] !== place.operation || point[2] !== boundary) return;
  held += 1;
  const wait = released;
  sayIfHeld();
  await wait;
}

function sayIfHeld(): void {
  if (points.size > 0 && held === points.size) process.stdout.write("held\n");
}

const database = await openDatabase(url);
const kernel = await boot(
  database,
  {
    errand: (sys) => {
      const place = { lane: sys.input.value as number, operation: 0, call: 0 };
      places.set(sys.pid, place);
      return errand(sys, (operation, call) => Object.assign(place, { operation, call }));
    },
  },
  { syscalls: errandCalls(world), atBoundary, anchorFile: `${folder}/anchors`, staleMs: 60_000 },
);
void settleUnknowns(kernel);
const ends: Record<string, unknown> = {};
await Promise.all(
  lanes.map(async (lane) => {
    const request = { program: "errand", input: typed(lane), capabilities: everything };
    const pid = await kernel.spawn({ ...request, key: `lane ${lane}` });
    ends[lane] = await kernel.wait(pid);
  }),
);
process.stdout.write(`end ${JSON.stringify(ends)}\n`);

/** The person: looks whether it happened, and says so. */
async function settleUnknowns({ tickets, answer }: Kernel): Promise<void> {
  for (;;) {
    await sleep(20);
    for (const { id, card } of await tickets().catch(() => [])) {
      const { args } = card as unknown as { args: { value: { lane: number; operation: number } } };
      const happened = (world.counts().get(nameOf(args.value)) ?? 0) > 0;
      await answer(id, { kind: happened ? "happened" : "did-not-happen" }).catch(() => {});
    }
  }
}
