/**
 * One core per worker, while a team fills the machine. A scheduler that saves power or shares cores
 * among guests wakes a sleeping thread on the core of the one that woke it, and two workers then
 * share one core for tens of milliseconds, which is as long as a batch takes. Linux only; elsewhere,
 * and where a team does not fill the machine, threads are left to the scheduler.
 */
import koffi from "koffi";

/** Bytes of a CPU set: 1,024 cores, as the C library has it. */
const SET_BYTES = 128;

/** Binds the calling thread to the `index`-th of its cores, if it has just `threads` of them. */
export function tryBindThread(index: number, threads: number): boolean {
  if (process.platform !== "linux" || threads < 2) return false;
  try {
    const libc = koffi.load(null);
    const read = libc.func("int sched_getaffinity(int pid, size_t bytes, _Out_ uint8_t* set)");
    const write = libc.func("int sched_setaffinity(int pid, size_t bytes, const uint8_t* set)");
    const set = new Uint8Array(SET_BYTES);
    if (read(0, SET_BYTES, set) < 0) return false;
    const cores = coresOf(set);
    const core = cores[index];
    if (cores.length !== threads || core === undefined) return false;
    const one = new Uint8Array(SET_BYTES);
    one[core >> 3] = 1 << (core & 7);
    return write(0, SET_BYTES, one) === 0;
  } catch {
    return false; // A system without these calls, or a Node without koffi's binary.
  }
}

function coresOf(set: Uint8Array): number[] {
  const all = Array.from({ length: 8 * set.length }, (_, core) => core);
  return all.filter((core) => ((set[core >> 3] as number) >> (core & 7)) & 1);
}
