/**
 * Loaded into the server's process before it begins (`--import`): tells its parent, when asked,
 * what memory it holds. It is asked for the heap when nothing runs, after the collector has.
 */

export interface Memory {
  /** Bytes of the whole process. */
  readonly rss: number;
  /** Bytes of live objects; absent where the collector was not asked to run. */
  readonly heap?: number;
}

process.on("message", (word) => {
  const { rss } = process.memoryUsage();
  if (word === "rss") process.send?.({ rss } satisfies Memory);
  if (word !== "heap") return;
  globalThis.gc?.();
  const { heapUsed } = process.memoryUsage();
  process.send?.({ rss, heap: heapUsed } satisfies Memory);
});
// The channel alone must not keep a stopped server alive.
process.channel?.unref();
