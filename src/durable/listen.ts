/**
 * LISTEN on one connection for all channels. Postgres keeps no notifications for who is away, so
 * after every reconnect each handler hears `undefined` once and looks for itself.
 */
import pg from "pg";

type Handler = (payload: string | undefined) => void;

export interface ListenHub extends AsyncDisposable {
  listen(channel: string, handler: Handler): Promise<AsyncDisposable>;
}

const FIRST_WAIT_MS = 50;
const LONGEST_WAIT_MS = 1000;

export function createListenHub(config: pg.ClientConfig): ListenHub {
  return new Hub(config);
}

class Hub implements ListenHub {
  readonly #config: pg.ClientConfig;
  readonly #handlers = new Map<string, Set<Handler>>();
  /** The connection in use or in the making; absent before the first listener. */
  #client: Promise<pg.Client> | undefined;
  #closed = false;

  constructor(config: pg.ClientConfig) {
    this.#config = config;
  }

  async listen(channel: string, handler: Handler): Promise<AsyncDisposable> {
    const handlers = this.#handlers.get(channel) ?? new Set();
    this.#handlers.set(channel, handlers.add(handler));
    await this.#subscribe(channel);
    return {
      [Symbol.asyncDispose]: async () => {
        handlers.delete(handler);
        if (handlers.size > 0) return;
        this.#handlers.delete(channel);
        const client = await this.#client;
        // A connection that just broke listens to nothing any more, which is what was asked.
        await client?.query(`unlisten ${pg.escapeIdentifier(channel)}`).catch(() => {});
      },
    };
  }

  /** Tries until the channel is listened to on a living connection. */
  async #subscribe(channel: string): Promise<void> {
    while (!this.#closed && this.#handlers.has(channel)) {
      this.#client ??= this.#connect();
      const client = await this.#client;
      try {
        await client.query(`listen ${pg.escapeIdentifier(channel)}`);
        return;
      } catch {
        await pause(FIRST_WAIT_MS);
      }
    }
  }

  async #connect(): Promise<pg.Client> {
    for (let waitMs = FIRST_WAIT_MS; ; waitMs = Math.min(waitMs * 2, LONGEST_WAIT_MS)) {
      const client = new pg.Client(this.#config);
      client.on("error", () => {});
      try {
        await client.connect();
        client.on("notification", ({ channel, payload }) => this.#tell(channel, payload ?? ""));
        client.on("end", () => this.#lost());
        return client;
      } catch (error) {
        if (this.#closed) throw error;
        await pause(waitMs);
      }
    }
  }

  #lost(): void {
    this.#client = undefined;
    if (this.#closed || this.#handlers.size === 0) return;
    void this.#resume().catch(() => {});
  }

  async #resume(): Promise<void> {
    const channels = [...this.#handlers.keys()];
    await Promise.all(channels.map((channel) => this.#subscribe(channel)));
    if (!this.#closed) for (const channel of channels) this.#tell(channel, undefined);
  }

  #tell(channel: string, payload: string | undefined): void {
    for (const handler of this.#handlers.get(channel) ?? []) {
      try {
        handler(payload);
      } catch (error) {
        // One handler's bug must not keep the news from the others, nor stay unseen.
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    this.#handlers.clear();
    const client = await this.#client?.catch(() => undefined);
    await client?.end().catch(() => {});
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}
