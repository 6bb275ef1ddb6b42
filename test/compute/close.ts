/** Comparing tensors: the tolerance is relative to the largest element that was wanted. */
import assert from "node:assert/strict";

type Numbers = ArrayLike<number>;

export function largest(x: Numbers): number {
  let top = 0;
  for (let i = 0; i < x.length; i++) {
    const size = Math.abs(x[i] ?? 0);
    if (Number.isFinite(size)) top = Math.max(top, size);
  }
  return top;
}

/**
 * @param cancels size of the terms that make up the tensor, where that is more than their sum
 * @throws AssertionError naming the worst element, when |got - want| > tolerance · max|want| at
 * any; infinities and NaN must agree, and a tensor of zeros must be exactly zero
 */
export function assertClose(
  name: string,
  got: Numbers,
  want: Numbers,
  tolerance: number,
  cancels = 0,
): void {
  assertWithin(name, got, want, tolerance * Math.max(largest(want), cancels));
}

/** The same with an absolute bound. */
export function assertWithin(name: string, got: Numbers, want: Numbers, bound: number): void {
  assert.equal(got.length, want.length, `${name}: number of elements`);
  let [worst, at] = [0, -1];
  for (let i = 0; i < want.length; i++) {
    const difference = distance(got[i] ?? Number.NaN, want[i] ?? Number.NaN);
    if (difference > worst) [worst, at] = [difference, i];
  }
  const values = `[${at}] is ${got[at]}, wanted ${want[at]}`;
  assert.ok(worst <= bound, `${name}: ${values}; off by ${worst}, allowed ${bound}`);
}

function distance(got: number, want: number): number {
  if (Object.is(got, want)) return 0;
  if (Number.isFinite(got) && Number.isFinite(want)) return Math.abs(got - want);
  return Number.POSITIVE_INFINITY;
}

export function assertFinite(name: string, got: Numbers): void {
  for (let i = 0; i < got.length; i++)
    assert.ok(Number.isFinite(got[i]), `${name}: [${i}] is ${got[i]}`);
}
