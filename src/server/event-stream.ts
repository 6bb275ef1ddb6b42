/**
 * Server-sent events to one reader, at the reader's pace. The next event is asked for only when the
 * last one went out, so whoever reads slowly holds back nobody but their own text, and no more than
 * the socket's buffer is kept for them. A reader that takes nothing for `stallMs` is cut off.
 * While there is nothing to say, a comment now and then keeps the line open.
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html
 */

export interface StreamSettings {
  /** Silence after which a comment is sent, and the reply is begun at the latest. */
  readonly keepAliveMs: number;
  /** How long a reader may take nothing. */
  readonly stallMs: number;
}

export interface EventSource {
  /** Events as text, each ending with an empty line. */
  readonly frames: AsyncGenerator<string, void>;
  /** The last words after an error, once the reply is under way. */
  readonly renderError: (error: unknown) => string;
  /** The reader left, or takes nothing and is to be cut off. */
  readonly abandon: (reason: "closed" | "stalled") => void;
}

const KEEP_ALIVE = ": keep-alive\n\n";

/** @param data an object becomes JSON; @param event its name, where the reader goes by names */
export function renderEvent(data: object | string, event?: string): string {
  const text = typeof data === "string" ? data : JSON.stringify(data);
  return `${event === undefined ? "" : `event: ${event}\n`}data: ${text}\n\n`;
}

/**
 * Waits for the first event as long as a comment could wait: what goes wrong until then is thrown,
 * and can be told by status.
 */
export async function openEventStream(
  source: EventSource,
  settings: StreamSettings,
): Promise<ReadableStream<Uint8Array>> {
  const first = source.frames.next();
  await orTimer(first, settings.keepAliveMs);
  return streamFrames(source, first, settings);
}

function streamFrames(
  { frames, renderError, abandon }: EventSource,
  first: Promise<IteratorResult<string, void>>,
  { keepAliveMs, stallMs }: StreamSettings,
): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  let pending: Promise<IteratorResult<string, void>> | undefined = first;
  let stalled: NodeJS.Timeout | undefined;
  let left = false;
  const leave = (reason: "closed" | "stalled"): void => {
    left = true;
    clearTimeout(stalled);
    abandon(reason);
    // Ends what still runs; its last error has no reader.
    void frames.return().catch(() => {});
  };
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller): Promise<void> {
        clearTimeout(stalled);
        try {
          pending ??= frames.next();
          const next = await orTimer(pending, keepAliveMs);
          if (left) return;
          if (next !== undefined) pending = undefined;
          if (next?.done === true) return controller.close();
          controller.enqueue(encoder.encode(next === undefined ? KEEP_ALIVE : next.value));
          stalled = setTimeout(leave, stallMs, "stalled");
        } catch (error) {
          if (left) return;
          controller.enqueue(encoder.encode(renderError(error)));
          controller.close();
        }
      },
      cancel: () => leave("closed"),
    },
    { highWaterMark: 0 },
  );
}

/** @returns undefined when the time is over first */
async function orTimer<T>(promise: Promise<T>, ms: number): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), ms);
  });
  try {
    return await Promise.race([promise, over]);
  } finally {
    clearTimeout(timer);
  }
}
