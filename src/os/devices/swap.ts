/**
 * Where timelines go that gave their memory to others: so many bytes are kept as they are, what is
 * more goes to files in a folder of this process's own. Nothing here outlives the daemon: a text
 * whose timeline is lost is made again.
 */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { diskError } from "../../durable-file.node.ts";
import type { Snapshot } from "../../llm/inference/engine.ts";

export interface SwapOptions {
  /** Bytes kept in memory; default 256 MiB. */
  readonly memoryBytes?: number;
  /** Folder in which a private one is made; default the system's for temporary files. */
  readonly dir?: string;
}

/** A timeline that was moved out. */
export interface Swapped {
  read(): Promise<Snapshot>;
  free(): Promise<void>;
}

const MEMORY_BYTES = 2 ** 28;

export class Swap implements AsyncDisposable {
  readonly #most: number;
  readonly #parent: string;
  #folder: Promise<string> | undefined;
  #inMemory = 0;
  #files = 0;

  constructor({ memoryBytes = MEMORY_BYTES, dir = tmpdir() }: SwapOptions = {}) {
    this.#most = memoryBytes;
    this.#parent = dir;
  }
  /** @throws NutshellError DISK */
  put(snapshot: Snapshot): Promise<Swapped> {
    const { length } = snapshot.bytes;
    return this.#inMemory + length <= this.#most
      ? Promise.resolve(this.#keep(snapshot))
      : this.#write(snapshot);
  }
  async [Symbol.asyncDispose](): Promise<void> {
    const folder = await this.#folder?.catch(() => undefined);
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  }

  #keep(snapshot: Snapshot): Swapped {
    let { length } = snapshot.bytes;
    this.#inMemory += length;
    return {
      read: async () => snapshot,
      free: async () => {
        this.#inMemory -= length;
        length = 0;
      },
    };
  }
  async #write({ bytes, ...rest }: Snapshot): Promise<Swapped> {
    const path = join(await this.#open(), `${this.#files++}.kv`);
    try {
      await writeFile(path, bytes, { mode: 0o600 });
    } catch (error) {
      await rm(path, { force: true });
      throw diskError(path, error, "The timeline stays where it is.");
    }
    return {
      read: async () => ({ ...rest, bytes: await readFile(path) }),
      free: () => rm(path, { force: true }),
    };
  }
  #open(): Promise<string> {
    this.#folder ??= mkdtemp(join(this.#parent, "nutshell-swap-")).catch((error: unknown) => {
      this.#folder = undefined;
      throw diskError(this.#parent, error, "The timeline stays where it is.");
    });
    return this.#folder;
  }
}
