/**
 * What one device computes, holds and costs. Peaks are the makers' dense bf16 rates with f32
 * accumulation (no sparsity). The rate of use (MFU) and the price are assumptions; each row says
 * where they come from, `plan` prints them, and flags replace them.
 */

export type MachineName = "a100" | "h100" | "h200" | "rtx4090" | "rtx5090" | "cpu";

export interface Machine {
  readonly name: MachineName;
  readonly peakFlopsPerSecond: number;
  readonly peakSource: string;
  readonly memoryBytes: number;
  /** Share of the peak that 6 N D makes of a whole run, restarts included. */
  readonly mfu: number;
  readonly mfuSource: string;
  readonly usdPerHour: number;
  readonly priceSource: string;
}

const GB = 1e9;
const MAKER = "the maker's dense bf16 rate";
const MARKET = "an estimate of what rental markets asked in 2025";
const CONSUMER = "as for data-centre cards; no large public run to check it with";

export const machines: Readonly<Record<MachineName, Machine>> = {
  a100: {
    name: "a100",
    peakFlopsPerSecond: 312e12,
    peakSource: MAKER,
    memoryBytes: 80 * GB,
    mfu: 0.4,
    mfuSource: "LLaMA-2's four sizes imply 0.35 to 0.43, mean 0.39",
    usdPerHour: 1.4,
    priceSource: "between 1.16 (LLaMA-2 70B) and 1.60 (llm.c: $20 for 94 minutes of 8)",
  },
  h100: {
    name: "h100",
    peakFlopsPerSecond: 989e12,
    peakSource: MAKER,
    memoryBytes: 80 * GB,
    mfu: 0.4,
    mfuSource: "nanochat reports 0.41 to 0.46, llm.c 0.50, both on one node",
    usdPerHour: 3,
    priceSource: "nanochat's 24 an hour for 8",
  },
  h200: {
    name: "h200",
    peakFlopsPerSecond: 989e12,
    peakSource: MAKER,
    memoryBytes: 141 * GB,
    mfu: 0.4,
    mfuSource: "as for h100: the same arithmetic, more memory",
    usdPerHour: 3.5,
    priceSource: MARKET,
  },
  rtx4090: {
    name: "rtx4090",
    peakFlopsPerSecond: 165.2e12,
    peakSource: MAKER,
    memoryBytes: 24 * GB,
    mfu: 0.4,
    mfuSource: CONSUMER,
    usdPerHour: 0.4,
    priceSource: MARKET,
  },
  rtx5090: {
    name: "rtx5090",
    peakFlopsPerSecond: 209.5e12,
    peakSource: MAKER,
    memoryBytes: 32 * GB,
    mfu: 0.4,
    mfuSource: CONSUMER,
    usdPerHour: 0.7,
    priceSource: MARKET,
  },
  cpu: {
    name: "cpu",
    peakFlopsPerSecond: 390e9,
    peakSource: "2 Zen 4 cores, bf16; bench:matmul measures yours",
    memoryBytes: 8 * GB,
    mfu: 0.7,
    mfuSource: "of the measured matmul rate, the least that bench:train asks for",
    usdPerHour: 0,
    priceSource: "a machine that you own, electricity not counted",
  },
};

/** Values that a user knows better than the table. */
export interface MachineChanges {
  readonly mfu?: number | undefined;
  readonly usdPerHour?: number | undefined;
  /** Measured matmul rate, for a machine that is not in the table. */
  readonly peakFlopsPerSecond?: number | undefined;
  readonly memoryBytes?: number | undefined;
}

/** A row of the table with the user's values over it. */
export function machineOf(name: MachineName, changes: MachineChanges): Machine {
  const row = machines[name];
  return {
    name,
    peakFlopsPerSecond: changes.peakFlopsPerSecond ?? row.peakFlopsPerSecond,
    peakSource: changes.peakFlopsPerSecond === undefined ? row.peakSource : "given",
    memoryBytes: changes.memoryBytes ?? row.memoryBytes,
    mfu: changes.mfu ?? row.mfu,
    mfuSource: changes.mfu === undefined ? row.mfuSource : "given",
    usdPerHour: changes.usdPerHour ?? row.usdPerHour,
    priceSource: changes.usdPerHour === undefined ? row.priceSource : "given",
  };
}

/** FLOPs that one device really does in one hour. */
export function flopsPerHour(machine: Machine): number {
  return machine.peakFlopsPerSecond * machine.mfu * 3600;
}
