/**
 * Files as processes see them: each process has a tree of its own, a private one or a folder of the
 * host that a person named. Every change keeps what was there before; labels travel with content.
 */
import type { BlobStore } from "../../durable/blobs.ts";
import type { Database } from "../../durable/database.ts";
import type { Device } from "./device.ts";

export interface FilesOptions {
  readonly database: Database;
  readonly blobs: BlobStore;
}

export interface FilesDevice extends Device {
  /**
   * A tree's name is `host:/absolute/folder` for a folder that a person named, else any word.
   * From now on `to` is what `from` was, and neither sees the other's later changes.
   */
  fork(from: string, to: string): Promise<void>;
}

export async function createFilesDevice(_options: FilesOptions): Promise<FilesDevice> {
  return {
    name: "files",
    calls: [],
    fork: async () => {},
    check: async () => ({ ok: true, text: "no calls yet" }),
    [Symbol.asyncDispose]: async () => {},
  };
}
