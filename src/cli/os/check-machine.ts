/** What a machine needs before a daemon can start, looked at without one. */
import { constants } from "node:fs";
import { access, statfs } from "node:fs/promises";
import { delimiter, join } from "node:path";
import type { HealthRow } from "../../os/system.ts";
import { makeHome } from "./home.ts";

/** @param home the daemon's folder */
export async function checkMachine(home: string): Promise<HealthRow[]> {
  return [nodeVersion(), await compiler(), await folder(home)];
}

function nodeVersion(): HealthRow {
  return { name: "node", ok: true, text: `Node ${process.versions.node}` };
}

async function compiler(): Promise<HealthRow> {
  const names = [process.env.CC, "cc", "gcc", "clang"].filter((name) => name !== undefined);
  for (const name of names) {
    const path = await findProgram(name);
    if (path !== undefined) return { name: "compiler", ok: true, text: path };
  }
  const text = "no C compiler: models run slowly, in JavaScript. Install gcc and libc6-dev";
  return { name: "compiler", ok: false, text };
}

async function findProgram(name: string): Promise<string | undefined> {
  const folders = name.includes("/") ? [""] : (process.env.PATH ?? "").split(delimiter);
  for (const folder of folders) {
    const path = join(folder, name);
    const found = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (found) return path;
  }
  return undefined;
}

const MIN_FREE_BYTES = 200 << 20;

async function folder(home: string): Promise<HealthRow> {
  try {
    await makeHome(home);
    await access(home, constants.W_OK);
    const { bavail, bsize } = await statfs(home);
    const free = bavail * bsize;
    const ok = free >= MIN_FREE_BYTES;
    const text = `${home}: ${(free / 1e9).toFixed(1)} GB free`;
    return { name: "home", ok, text: ok ? text : `${text}, and needs 0.2. Free some space` };
  } catch (error) {
    const text = `${home} cannot be written (${(error as NodeJS.ErrnoException).code}). Choose another: --home`;
    return { name: "home", ok: false, text };
  }
}
