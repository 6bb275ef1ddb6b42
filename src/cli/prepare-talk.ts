/** Preparing, as the terminal shows it: one bar a phase. */
import type { PrepareProgress, PrepareTalk } from "../llm/data/prepare/talk.ts";
import type { CommandIo } from "./command.ts";
import { Progress } from "./progress.ts";

/** Dispose it to end the last bar. */
export class TerminalPrepareTalk implements PrepareTalk, Disposable {
  readonly #io: CommandIo;
  #phase = "";
  #bar: Progress | undefined;

  constructor(io: CommandIo) {
    this.#io = io;
  }

  say(text: string): void {
    this[Symbol.dispose]();
    this.#io.stderr(`${text}\n`);
  }

  progress({ phase, done, total, unit }: PrepareProgress): void {
    if (phase !== this.#phase) {
      this[Symbol.dispose]();
      this.#phase = phase;
      const known = total === undefined ? {} : { total };
      this.#bar = new Progress(this.#io, { label: phase, unit, ...known });
    }
    this.#bar?.update(done);
  }

  [Symbol.dispose](): void {
    this.#bar?.end();
    this.#bar = undefined;
    this.#phase = "";
  }
}
