/** Numbers as people read them on a terminal. */

const prefixes = ["", "k", "M", "G", "T", "P", "E"];

/** Three significant digits and an SI prefix: 1234567 → "1.23M". */
export function formatCount(count: number): string {
  const size = Math.abs(count);
  if (size < 1000) return Number.isInteger(count) ? String(count) : count.toPrecision(3);
  // Rounding first: 999,950 is "1.00M", not "1000k".
  const exponent = Math.floor(Math.log10(Number(size.toPrecision(3))) / 3);
  const power = Math.min(exponent, prefixes.length - 1);
  return `${(count / 1000 ** power).toPrecision(3)}${prefixes[power]}`;
}

/** @param seconds 4.6 → "4.6 s", 150 → "2m 30s", 7260 → "2h 01m" */
export function formatDuration(seconds: number): string {
  if (seconds < 59.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 3600) return `${Math.floor(whole / 60)}m ${pad(whole % 60)}s`;
  const minutes = Math.round(seconds / 60);
  return `${Math.floor(minutes / 60)}h ${pad(minutes % 60)}m`;
}

function pad(count: number): string {
  return String(count).padStart(2, "0");
}
