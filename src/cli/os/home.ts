/**
 * Where a daemon lives: its folder with database, blobs and keys, and the socket in it. Every
 * command of the operating system finds it the same way.
 */
import { createHash } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { homedir, tmpdir, userInfo } from "node:os";
import { join, resolve } from "node:path";
import type { OptionTableFor } from "../../options.ts";
import { type Control, connectControl } from "../../server/control/control-client.ts";
import { SOCKET_NAME } from "../../server/control/protocol.ts";

export interface HomeValues {
  home: string | undefined;
}

/** Row of every command that talks to a daemon. */
export const homeOption: OptionTableFor<HomeValues> = {
  home: {
    type: "string?",
    value: undefined,
    placeholder: "DIR",
    doc: "The daemon's folder; absent = $NUTSHELL_HOME, else nutshell under $XDG_DATA_HOME.",
  },
};

export function homeFolder({ home }: HomeValues): string {
  const { NUTSHELL_HOME, XDG_DATA_HOME } = process.env;
  // Root's database runs as a user who may not enter root's own home.
  const usual = process.getuid?.() === 0 ? "/var/lib" : join(homedir(), ".local", "share");
  return resolve(home ?? (NUTSHELL_HOME || join(XDG_DATA_HOME || usual, "nutshell")));
}

/** Closed to others; root's is passed through by the user who runs its database. */
export async function makeHome(home: string): Promise<void> {
  await mkdir(home, { recursive: true, mode: process.getuid?.() === 0 ? 0o711 : 0o700 });
}

/** A Unix socket's path has 107 bytes at most: a longer one is replaced by its hash. */
export function socketPath(home: string): string {
  const path = join(home, SOCKET_NAME);
  if (Buffer.byteLength(path) < 100) return path;
  const name = createHash("sha256").update(home).digest("hex").slice(0, 16);
  return join(tmpdir(), `nutshell-${userInfo().uid}-${name}`, SOCKET_NAME);
}

export function connect(values: HomeValues): Control {
  return connectControl(socketPath(homeFolder(values)));
}
