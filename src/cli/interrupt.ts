/**
 * Ctrl-C: the first asks the program to stop at the next safe point, the second exits at once.
 * npm, the launcher and the terminal may each deliver one key press, so signals that follow
 * within a moment count as the same press.
 */

const samePressMs = 300;

/** Listens to SIGINT and SIGTERM until disposed. */
export class Interrupt implements Disposable {
  readonly #controller = new AbortController();
  readonly #notice: (text: string) => void;
  #firstAt = 0;

  /** @param notice gets one line that tells the user what the first press did */
  constructor(notice: (text: string) => void) {
    this.#notice = notice;
    for (const name of ["SIGINT", "SIGTERM"] as const) process.on(name, this.#onSignal);
  }

  /** Aborted by the first press. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  readonly #onSignal = (): void => {
    if (!this.signal.aborted) {
      this.#firstAt = performance.now();
      this.#notice("stopping at the next safe point; press Ctrl-C again to stop at once\n");
      this.#controller.abort();
    } else if (performance.now() - this.#firstAt > samePressMs) {
      process.exit(130);
    }
  };

  [Symbol.dispose](): void {
    for (const name of ["SIGINT", "SIGTERM"] as const) process.off(name, this.#onSignal);
  }
}
