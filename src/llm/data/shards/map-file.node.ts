/**
 * A file's bytes without reading it: the system maps it into memory and loads a page when it is
 * first touched, drops it again when memory is short, and shares it with other processes. Where
 * there is no `mmap` (Windows, or a Node without koffi's binary) the file is read in whole.
 *
 * A mapped file must not be truncated while it is in use, or the process dies of SIGBUS; renaming
 * and deleting it are harmless.
 */
import { closeSync, fstatSync, openSync, readFileSync } from "node:fs";
import koffi from "koffi";

export type Access = "mapped" | "read";

export interface FileBytes extends Disposable {
  readonly bytes: Uint8Array;
  readonly access: Access;
}

interface Libc {
  map(
    hint: null,
    bytes: number,
    protection: number,
    flags: number,
    fd: number,
    at: number,
  ): unknown;
  unmap(address: unknown, bytes: number): number;
}

const PROT_READ = 1;
const MAP_SHARED = 1;
/** What `mmap` returns when it fails: the pointer -1. */
const MAP_FAILED = 2n ** 64n - 1n;

let libc: Libc | undefined | "not tried" = "not tried";

/** @returns undefined where the system has no `mmap` */
function tryLibc(): Libc | undefined {
  if (process.platform === "win32") return undefined;
  try {
    const program = koffi.load(null);
    const map = "void* mmap(void* hint, size_t bytes, int prot, int flags, int fd, int64_t at)";
    return { map: program.func(map), unmap: program.func("int munmap(void* at, size_t bytes)") };
  } catch {
    return undefined;
  }
}

/** @throws the system's error when the file cannot be opened */
export function mapFile(path: string): FileBytes {
  if (libc === "not tried") libc = tryLibc();
  return (libc === undefined ? undefined : tryMap(path, libc)) ?? readWhole(path);
}

/** @returns undefined for an empty file and for file systems that cannot map */
function tryMap(path: string, { map, unmap }: Libc): FileBytes | undefined {
  const fd = openSync(path, "r");
  try {
    const { size } = fstatSync(fd);
    if (size === 0) return undefined;
    const pointer = map(null, size, PROT_READ, MAP_SHARED, fd, 0);
    if (koffi.address(pointer) === MAP_FAILED) return undefined;
    const bytes = new Uint8Array(koffi.view(pointer, size));
    return { bytes, access: "mapped", [Symbol.dispose]: () => void unmap(pointer, size) };
  } finally {
    closeSync(fd);
  }
}

/** All of a file in memory of its own. @throws the system's error when it cannot be read */
export function readWhole(path: string): FileBytes {
  // A copy of its own starts on an address that typed arrays of any width can use.
  const bytes = Uint8Array.from(readFileSync(path));
  return { bytes, access: "read", [Symbol.dispose]: () => {} };
}
