/** Advantages of a batch brought to mean 0 and standard deviation 1 over its chosen tokens. */

/**
 * In place; what is masked stays 0. Fewer than two tokens are left as they are.
 * @see Huang et al. 2022, "The 37 implementation details of PPO", detail 7
 */
export function whiten(rows: readonly Float32Array[], masks: readonly Uint8Array[]): void {
  let [n, sum, squares] = [0, 0, 0];
  eachMasked(rows, masks, (value) => {
    n++;
    sum += value;
  });
  if (n < 2) return;
  const mean = sum / n;
  eachMasked(rows, masks, (value) => {
    squares += (value - mean) ** 2;
  });
  const scale = 1 / Math.sqrt(squares / n + 1e-8);
  eachMasked(rows, masks, (value, row, t) => {
    row[t] = (value - mean) * scale;
  });
}

function eachMasked(
  rows: readonly Float32Array[],
  masks: readonly Uint8Array[],
  visit: (value: number, row: Float32Array, t: number) => void,
): void {
  for (const [i, row] of rows.entries())
    for (let t = 0; t < row.length; t++) if (masks[i]?.[t] === 1) visit(row[t] as number, row, t);
}
