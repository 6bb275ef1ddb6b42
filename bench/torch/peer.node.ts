/**
 * PyTorch as a peer of our benches.
 *
 *     const torch = await startTorch("train.py", ["--precision", "bf16", "--threads", "2"]);
 *     if (torch) { const { seconds } = await torch.request({ op: "step" }); await torch.stop(); }
 *     else console.error(howToInstall);
 */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { type Peer, startPeer } from "../peer.node.ts";

export const howToInstall =
  "apt-get install --no-install-recommends python3-torch libopenblas0-pthread";

const PYTHONS = ["/usr/bin/python3", "python3"];

/**
 * glibc returns large blocks to the kernel at every free; torch then spends a third of a training
 * step on page faults (measured: 2.05 s a step, 1.30 s with the blocks kept). `stock` leaves it so.
 */
const KEEP_MEMORY = {
  MALLOC_MMAP_MAX_: "0",
  MALLOC_TRIM_THRESHOLD_: "17179869184",
  MALLOC_TOP_PAD_: "268435456",
};

export interface TorchOptions {
  readonly allocator?: "kept" | "stock";
}

/** @returns null when no Python here can import torch; a script that fails to start rejects. */
export async function startTorch(
  script: "train.py" | "matmul.py",
  args: readonly string[],
  { allocator = "kept" }: TorchOptions = {},
): Promise<Peer | null> {
  const python = await findPython();
  if (python === null) return null;
  const path = fileURLToPath(new URL(script, import.meta.url));
  const env = { ...process.env, ...(allocator === "kept" ? KEEP_MEMORY : {}) };
  return startPeer(python, [path, ...args], env);
}

async function findPython(): Promise<string | null> {
  for (const python of PYTHONS) {
    const found = await promisify(execFile)(python, ["-c", "import torch"]).then(
      () => true,
      () => false,
    );
    if (found) return python;
  }
  return null;
}
