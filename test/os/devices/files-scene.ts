/**
 * Files without a kernel around them: real Postgres, real blobs, and calls made as the kernel's
 * dispatch makes them, each under a key of its own.
 */
import { randomUUID } from "node:crypto";
import { mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createBlobStore } from "../../../src/durable/blobs.ts";
import type { Database } from "../../../src/durable/database.ts";
import { createFilesDevice, type FilesDevice } from "../../../src/os/devices/files.ts";
import type { CallContext, CallResult, Syscall } from "../../../src/os/kernel/syscall.ts";
import type { Capability } from "../../../src/os/security/capability.ts";
import { fromUser, type Label } from "../../../src/os/security/label.ts";
import { type Json, type LabelTree, wholeLabel } from "../../../src/os/security/labelled.ts";
import { testDatabase } from "../../durable/test-database.ts";

export interface Scene extends AsyncDisposable {
  readonly database: Database;
  readonly files: FilesDevice;
  /** A temporary folder of this scene; blobs are beside it. */
  readonly folder: string;
  call(name: string, args: Json, who?: Who): Promise<CallResult>;
  row(name: string): Syscall;
}

export interface Who {
  readonly tree?: string;
  readonly pid?: number;
  readonly key?: string;
  readonly call?: number;
  /** Of the arguments; of all but the path it is `content`. */
  readonly label?: Label;
  readonly content?: Label;
  readonly pc?: Label;
  readonly capabilities?: readonly Capability[];
}

export async function createScene(): Promise<Scene> {
  const database = await testDatabase();
  const folder = await realpath(await mkdtemp(join(tmpdir(), "nutshell-files-")));
  const blobs = createBlobStore(`${folder}-blobs`);
  const treeOf = async (pid: number) => ({ tree: `p${pid}`, owner: "ann" });
  const files = await createFilesDevice({ database, blobs, treeOf });
  const row = (name: string) => {
    const found = files.calls.find((call) => call.name === name);
    if (found === undefined) throw new Error(`no call ${name}`);
    return found;
  };
  return {
    database,
    files,
    folder,
    row,
    call: (name, args, who = {}) =>
      row(name).run({ value: args, labels: labelsOf(args, who) }, contextOf(who)),
    [Symbol.asyncDispose]: async () => {
      await database[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
      await rm(`${folder}-blobs`, { recursive: true, force: true });
    },
  };
}

function labelsOf(args: Json, { label = fromUser, content = label }: Who): LabelTree {
  const part = (name: string): LabelTree => ({
    label: /path|from|to/.test(name) ? label : content,
  });
  const parts = Object.keys(args as object).map((name) => [name, part(name)] as const);
  return { label, parts: new Map(parts) };
}

export function contextOf(who: Who): CallContext {
  const pid = who.pid ?? 1;
  const unused = async () => {
    throw new Error("files ask nobody");
  };
  return {
    pid,
    call: who.call ?? 1,
    key: who.key ?? randomUUID(),
    again: false,
    owner: "ann",
    fileTree: who.tree ?? `p${pid}`,
    capabilities: who.capabilities ?? [],
    pc: who.pc ?? fromUser,
    signal: new AbortController().signal,
    since: 1_000,
    spawnOnHost: unused,
    ask: unused,
  };
}

export function labelOfResult({ labels }: CallResult): Label {
  if (labels === undefined) throw new Error("a result without labels");
  return wholeLabel(labels);
}
