/**
 * From a call's path to the tree that it means. A process has rights on its own tree by the
 * capability that covers the call; on another's only by one for `proc.read` or `proc.write` of that
 * very path, which no right on `files.*` implies.
 */
import { DeviceError } from "../kernel/device-error.ts";
import type { CallContext } from "../kernel/syscall.ts";
import { covers } from "../security/capability.ts";
import type { FileStore, View } from "./files-content.ts";
import { checkWritable, parseFilePath } from "./files-path.ts";

export interface FilesSetting extends FileStore {
  /** Whose files a process sees; undefined: there is no such process. */
  readonly treeOf: (pid: number) => Promise<View | undefined>;
}

export interface Place {
  readonly view: View;
  readonly path: string;
}

/** @throws DeviceError CAPABILITY for another's tree without a right, and for a refused path */
export async function findPlace(
  setting: FilesSetting,
  call: string,
  text: string,
  context: CallContext,
  access: "read" | "write" = "read",
): Promise<Place> {
  const { pid, path } = parseFilePath(call, text);
  if (access === "write") checkWritable(call, path);
  if (pid === undefined || pid === context.pid)
    return { view: { tree: context.fileTree, owner: context.owner }, path };
  const right = `proc.${access}`;
  const asked = { path: `proc:${pid}/${path}` };
  const granted = covers(context.capabilities, right, asked, context.since);
  const view = granted ? await setting.treeOf(pid) : undefined;
  if (view === undefined) throw noRight(call, right);
  return { view, path };
}

function noRight(call: string, right: string): DeviceError {
  return new DeviceError(
    `${call}: another process's files need a capability ${right} that covers the path, got none. ` +
      "Ask for a grant.",
    { code: "CAPABILITY" },
  );
}
