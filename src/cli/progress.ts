/**
 * Progress of anything that may take over two seconds: a redrawn bar on a terminal, a plain line
 * every few seconds elsewhere. Always on stderr, so stdout stays the command's result.
 *
 *     reading  [#########-----------]  45% | 1.20G/2.64G bytes | 310M bytes/s | 4.6 s left
 */
import type { CommandIo } from "./command.ts";
import { formatCount, formatDuration } from "./format.ts";

export interface ProgressOptions {
  readonly label: string;
  /** How much there is to do; absent when nobody knows. */
  readonly total?: number;
  /** What is counted: "bytes", "tokens", "steps". */
  readonly unit: string;
  /** Milliseconds that only go up; tests pass their own clock. */
  readonly now?: () => number;
}

const quietMs = 1000; // work that ends sooner shows nothing
const redrawMs = 100;
const plainLineMs = 5000;

/** Shows one piece of work; `using` or `end()` clears the bar and leaves a summary line. */
export class Progress implements Disposable {
  readonly #io: CommandIo;
  readonly #options: ProgressOptions;
  readonly #now: () => number;
  readonly #start: number;
  #nextDraw: number;
  #done = 0;
  #shown = false;
  #ended = false;

  constructor(io: CommandIo, options: ProgressOptions) {
    this.#io = io;
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
    this.#start = this.#now();
    this.#nextDraw = this.#start + quietMs;
  }

  /** @param done how much is done in all, in `unit` */
  update(done: number): void {
    this.#done = done;
    const now = this.#now();
    if (now < this.#nextDraw) return;
    this.#nextDraw = now + (this.#io.isTTY ? redrawMs : plainLineMs);
    this.#shown = true;
    const line = this.#render((now - this.#start) / 1000);
    this.#io.stderr(this.#io.isTTY ? `\r\x1b[K${line}` : `${line}\n`);
  }

  /** Ends the line; work too short to have been shown stays silent. */
  end(): void {
    if (this.#ended || !this.#shown) return;
    this.#ended = true;
    const seconds = (this.#now() - this.#start) / 1000;
    const { label, unit } = this.#options;
    const rate = formatCount(this.#done / Math.max(seconds, 1e-3));
    const amount = `${formatCount(this.#done)} ${unit} in ${formatDuration(seconds)}`;
    this.#io.stderr(`${this.#io.isTTY ? "\r\x1b[K" : ""}${label}: ${amount}, ${rate} ${unit}/s\n`);
  }

  [Symbol.dispose](): void {
    this.end();
  }

  #render(seconds: number): string {
    const { label, unit, total } = this.#options;
    const rate = this.#done / Math.max(seconds, 1e-3);
    const pace = `${formatCount(rate)} ${unit}/s`;
    if (total === undefined) return `${label} | ${formatCount(this.#done)} ${unit} | ${pace}`;
    const share = total > 0 ? Math.min(1, this.#done / total) : 1;
    const percent = `${Math.floor(share * 100)}%`.padStart(4);
    const left = rate > 0 ? formatDuration((total - this.#done) / rate) : "?";
    const amount = `${formatCount(this.#done)}/${formatCount(total)} ${unit}`;
    const tail = `${percent} | ${amount} | ${pace} | ${left} left`;
    return this.#io.isTTY ? this.#withBar(label, share, tail) : `${label} ${tail}`;
  }

  #withBar(label: string, share: number, tail: string): string {
    const width = Math.min(30, this.#io.columns - label.length - tail.length - 5);
    if (width < 5) return `${label} ${tail}`.slice(0, this.#io.columns - 1);
    return `${label} ${renderBar(share, width)} ${tail}`;
  }
}

/** @param share done, in [0, 1]  @param width characters between the brackets */
export function renderBar(share: number, width: number): string {
  const filled = Math.round(share * width);
  return `[${"#".repeat(filled)}${"-".repeat(width - filled)}]`;
}
