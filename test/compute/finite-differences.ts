/**
 * Gradients against central differences, (f(x + h·d) - f(x - h·d)) / 2h, in f64: along random
 * directions through all inputs at once, and one element at a time where there are few elements.
 */
import type { HostArray, Program } from "../../src/compute/backend.ts";
import { createReferenceBackend } from "../../src/compute/backends/reference.ts";
import { grad } from "../../src/compute/gradients.ts";
import type { Value } from "../../src/compute/graph.ts";
import { fillNormal } from "../../src/compute/philox.ts";
import { caseInputs, type OpCase, weightedLoss } from "./op-cases/case.ts";

const H = 1e-5;
const DIRECTIONS = 3;
const MAX_ELEMENTS = 400;

type Point = Record<string, Float64Array | Int32Array>;

interface Differentiated {
  readonly program: Program;
  /** Names of the float inputs. */
  readonly floats: readonly string[];
  readonly at: Point;
}

/**
 * @returns the largest difference between a gradient and its central difference, relative to the
 * largest gradient element or 1; what is left is truncation, about h² = 1e-10
 */
export async function worstDifference(c: OpCase): Promise<number> {
  const problem = await differentiate(c);
  const gradients = await gradientsOf(problem);
  const scale = Math.max(1, ...Object.values(gradients).flatMap((g) => Array.from(g, Math.abs)));
  const directions = [...randomDirections(problem), ...unitDirections(problem)];
  let worst = 0;
  for (const direction of directions) {
    const difference = await slope(problem, direction);
    const error = Math.abs(difference - along(gradients, direction)) / scale;
    worst = Math.max(worst, Number.isNaN(error) ? Number.POSITIVE_INFINITY : error);
  }
  return worst;
}

async function differentiate(c: OpCase): Promise<Differentiated> {
  const { values, data } = caseInputs(c, "f32", "x");
  const floats = values.filter((x) => x.dtype !== "i32");
  const { loss, data: weights } = weightedLoss(c.build(values, "f32"), "x");
  const gradients = grad(loss, floats).map((g, i) => [nameOf(floats[i] as Value), g] as const);
  const backend = createReferenceBackend({ precision: "f64" });
  const outputs = { loss, ...Object.fromEntries(gradients) };
  const program = await backend.compile({ outputs }, backend.createStore());
  return { program, floats: floats.map(nameOf), at: toF64({ ...data, ...weights }) };
}

const nameOf = (x: Value): string => (x.node.attrs as { name: string }).name;

function toF64(data: Record<string, HostArray>): Point {
  const wide = Object.entries(data).map(([name, x]) => [
    name,
    x instanceof Int32Array ? x : Float64Array.from(x),
  ]);
  return Object.fromEntries(wide) as Point;
}

/** The f64 reference takes and gives Float64Array where the interface says Float32Array. */
async function runF64(program: Program, at: Point): Promise<Record<string, Float64Array>> {
  const results = await program.run(at as unknown as Record<string, HostArray>);
  return results as unknown as Record<string, Float64Array>;
}

async function gradientsOf({
  program,
  floats,
  at,
}: Differentiated): Promise<Record<string, Float64Array>> {
  const results = await runF64(program, at);
  return Object.fromEntries(floats.map((name) => [name, results[name] as Float64Array]));
}

function randomDirections({ floats, at }: Differentiated): Point[] {
  return Array.from({ length: DIRECTIONS }, (_, d) => {
    const parts = floats.map((name, i) => {
      const normal = new Float32Array(at[name]?.length ?? 0);
      fillNormal(normal, 1 / Math.sqrt(normal.length), 99 + d, i);
      return [name, Float64Array.from(normal)];
    });
    return Object.fromEntries(parts) as Point;
  });
}

function unitDirections({ floats, at }: Differentiated): Point[] {
  const total = floats.reduce((sum, name) => sum + (at[name]?.length ?? 0), 0);
  if (total > MAX_ELEMENTS) return [];
  return floats.flatMap((name) =>
    Array.from(at[name] ?? [], (_, i) => {
      const unit = new Float64Array(at[name]?.length ?? 0);
      unit[i] = 1;
      return { [name]: unit };
    }),
  );
}

function moved(at: Point, direction: Point, step: number): Point {
  const parts = Object.entries(direction).map(([name, d]) => {
    const x = Float64Array.from(at[name] ?? []);
    return [name, x.map((value, i) => value + step * (d[i] ?? 0))];
  });
  return { ...at, ...Object.fromEntries(parts) } as Point;
}

async function slope({ program, at }: Differentiated, direction: Point): Promise<number> {
  const above = await runF64(program, moved(at, direction, H));
  const below = await runF64(program, moved(at, direction, -H));
  return ((above.loss?.[0] ?? Number.NaN) - (below.loss?.[0] ?? Number.NaN)) / (2 * H);
}

function along(gradients: Record<string, Float64Array>, direction: Point): number {
  let total = 0;
  for (const [name, d] of Object.entries(direction))
    d.forEach((step, i) => {
      total += step * (gradients[name]?.[i] ?? Number.NaN);
    });
  return total;
}
