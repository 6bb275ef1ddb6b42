/**
 * Files as processes see them: each process has a tree of its own, a private one or a folder of the
 * host that a person named (`host:/absolute/folder`, links resolved). Every change keeps what was
 * there before; labels travel with content, into forks and through restarts.
 */
import { stat } from "node:fs/promises";
import type { BlobStore } from "../../durable/blobs.ts";
import type { Database } from "../../durable/database.ts";
import type { Device, Health } from "./device.ts";
import { type FileStore, hostFolder, type View } from "./files-content.ts";
import { copyVersions, firstAfter, keepAsOf, type Moment, setBase } from "./files-fork.ts";
import { readingCalls } from "./files-read.ts";
import { baseOf, schema } from "./files-versions.ts";
import { writingCalls } from "./files-write.ts";

export interface FilesOptions {
  readonly database: Database;
  /** Holds all content, old and new. */
  readonly blobs: BlobStore;
  /** Tree and owner of a process, for `proc:PID/…`; absent: nobody's but one's own. */
  readonly treeOf?: (pid: number) => Promise<View | undefined>;
}

export interface FilesDevice extends Device {
  /**
   * From now on `to` is what `from` was before that call, and neither sees the other's later
   * changes. A tree that exists stays as it is.
   */
  fork(from: string, to: string, before?: Moment): Promise<void>;
}

/** @throws NutshellError DATABASE when the tables were made by a newer program */
export async function createFilesDevice({
  database,
  blobs,
  treeOf = async () => undefined,
}: FilesOptions): Promise<FilesDevice> {
  await database.migrate("files", schema);
  const setting = { database, blobs, treeOf };
  return {
    name: "files",
    calls: [...readingCalls(setting), ...writingCalls(setting)],
    fork: (from, to, before) => forkTree(setting, from, to, before),
    check: async () => checkFiles(setting),
    [Symbol.asyncDispose]: async () => {},
  };
}

/** A folder of the host shows through, and is kept as it was where it changes from now on. */
async function forkTree(
  { database }: FileStore,
  from: string,
  to: string,
  before?: Moment,
): Promise<void> {
  await database.transaction(async (client) => {
    const bound = await firstAfter(client, from, before);
    const onHost = hostFolder(from) !== undefined;
    const base = onHost ? from : await baseOf(client, from);
    if (base !== undefined) await setBase(client, to, base);
    if (onHost) await keepAsOf(client, from, to, bound);
    else await copyVersions(client, from, to, bound);
  });
}

async function checkFiles({ blobs }: FileStore): Promise<Health> {
  const linux = process.platform === "linux";
  const walk = linux
    ? "links cannot be slipped in"
    : "a link could be slipped in while a path opens";
  const proof = linux ? await stat("/proc/self/fd").catch(() => undefined) : true;
  if (proof === undefined) return { ok: false, text: "/proc must be mounted: mount it" };
  const hash = await blobs.put(new Uint8Array());
  return { ok: await blobs.has(hash), text: `versions are kept; ${walk}` };
}
