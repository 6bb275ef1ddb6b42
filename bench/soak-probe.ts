/**
 * Loaded into the server's process before it begins (`--import`): tells its parent, when asked,
 * what memory it holds. It is asked for the heap when nothing runs, after the collector has.
 */

/** Bytes: the whole process, objects, what V8 holds for them, and buffers outside. */
export interface Memory {
  readonly rss: number;
  readonly heapUsed: number;
  readonly heapTotal: number;
  readonly external: number;
}

process.on("message", (word) => {
  if (word === "collected") globalThis.gc?.();
  process.send?.(process.memoryUsage() satisfies Memory);
});
// The channel alone must not keep a stopped server alive.
process.channel?.unref();
