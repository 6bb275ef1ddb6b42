/**
 * Several sources of events as one, each event as soon as it is there. A source is asked for its
 * next event only when the one before was taken, so a reader that waits makes all of them wait.
 */

interface Turn<T> {
  readonly source: AsyncGenerator<T>;
  readonly next: IteratorResult<T>;
}

/**
 * @param open begins one source; they begin in order
 * @param most sources that run at once
 * @throws what a source throws; the others are ended first, as when the reader breaks off
 */
export async function* mergeSources<T>(
  open: readonly (() => AsyncGenerator<T>)[],
  most: number,
): AsyncGenerator<T, void> {
  const waiting = [...open];
  const running = new Map<AsyncGenerator<T>, Promise<Turn<T>>>();
  /** Whose event the reader has now: it is in nobody else's hands if the reader breaks off. */
  let taken: AsyncGenerator<T> | undefined;
  const ask = (source: AsyncGenerator<T>): void => {
    running.set(
      source,
      source.next().then((next) => ({ source, next })),
    );
  };
  const begin = (): void => {
    while (running.size < most && waiting.length > 0)
      ask((waiting.shift() as () => AsyncGenerator<T>)());
  };
  try {
    for (begin(); running.size > 0; begin()) {
      const { source, next } = await Promise.race(running.values());
      running.delete(source);
      if (next.done === true) continue;
      taken = source;
      yield next.value;
      taken = undefined;
      ask(source);
    }
  } finally {
    await taken?.return(undefined).catch(() => {});
    await endAll(running);
  }
}

/** Their own errors are of no more use: the first one is on its way, or the reader has gone. */
async function endAll<T>(running: ReadonlyMap<AsyncGenerator<T>, Promise<Turn<T>>>): Promise<void> {
  const ends = [...running].map(([source, pending]) => [pending, source.return(undefined)]);
  await Promise.allSettled(ends.flat());
}
