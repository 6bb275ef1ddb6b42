/**
 * bench:scheduler: the operating system's scheduler on our own engine and in simulation.
 *
 *     equal        eight processes of one weight: Jain's index of their tokens
 *     weights      three processes of weights 1, 2 and 4: error of their shares
 *     interactive  turns that others get between the asking and the first token, behind fifty
 *     starvation   hostile random workloads, each wait against its computed bound
 *     policies     waiting and turnaround of one workload under fair share, round robin and FIFO
 *     preemption   what making way costs
 *     processes    many processes alive at once in a kernel on Postgres
 */
import { fileURLToPath } from "node:url";
import { type Command, type CommandIo, defineCommand } from "../src/cli/command.ts";
import { runProgram } from "../src/cli/execute.ts";
import { openEngine } from "../src/llm/engines/open-engine.node.ts";
import type { Engine } from "../src/llm/inference/engine.ts";
import { inRange, type OptionTableFor } from "../src/options.ts";
import type { PolicyName } from "../src/os/scheduler/scheduler.ts";
import { type Cell, report } from "./report.ts";
import {
  type Compared,
  comparePolicies,
  makeWorkload,
  medianOf,
  policyNames,
  runPolicy,
} from "./scheduler-policies.ts";
import { measureProcesses } from "./scheduler-processes.ts";
import {
  measureEqual,
  measureInteractive,
  measurePreemption,
  measureWeights,
} from "./scheduler-shares.ts";
import { proveWaits } from "./scheduler-starvation.ts";

interface Values {
  seconds: number;
  workloads: number;
  processes: number;
}

const MODEL = fileURLToPath(new URL("../models/kernel", import.meta.url));

const ROUNDS = 3;

async function measurePolicies(
  engine: Engine,
  msPerToken: number,
  io: CommandIo,
): Promise<Record<"engine" | "simulated" | "simulated_long", Record<PolicyName, Compared>>> {
  // More than the machine can do, for a while; and nearly as much, for long.
  const burst = makeWorkload(40, msPerToken, 1.5);
  const long = makeWorkload(3000, msPerToken, 0.9);
  const rounds: Record<PolicyName, Compared[]> = { fair: [], "round-robin": [], fifo: [] };
  // In turn, so that what else the machine does hits all alike.
  for (let nth = 1; nth <= ROUNDS; nth++)
    for (const name of policyNames) {
      io.signal.throwIfAborted();
      io.stderr(`policies: round ${nth}/${ROUNDS}, ${name}\n`);
      rounds[name].push(await runPolicy(engine, name, burst, msPerToken));
    }
  const real = policyNames.map((name) => [name, medianOf(rounds[name])]);
  return {
    engine: Object.fromEntries(real) as Record<PolicyName, Compared>,
    simulated: comparePolicies(burst, msPerToken),
    simulated_long: comparePolicies(long, msPerToken),
  };
}

async function bench({ seconds, workloads, processes }: Values, io: CommandIo): Promise<void> {
  await using engine = await openEngine(MODEL, { weights: "q8_0" });
  const ms = 1000 * seconds;
  const say = (what: string): void => {
    io.signal.throwIfAborted();
    io.stderr(`${what}\n`);
  };
  say("equal");
  const equal = await measureEqual(engine, ms);
  say("weights");
  const weights = await measureWeights(engine, ms);
  say("interactive");
  const interactive = await measureInteractive(engine, ms);
  // By now all that is compiled late has been: its rate is the machine's.
  say("preemption");
  const preemption = await measurePreemption(engine, 256);
  const compared = await measurePolicies(engine, preemption.ms_per_token, io);
  const starvation = proveWaits(workloads, io);
  say("processes");
  const alive = await measureProcesses(processes);
  const holds = [equal, weights, interactive, starvation, alive].every((one) => one.holds);
  const rows = policyNames.flatMap((name): Cell[][] =>
    (["engine", "simulated", "simulated_long"] as const).map((where) => {
      const { mean_wait_ms, mean_turnaround_ms, interactive } = compared[where][name];
      const label = `${name}, ${where.replace("_", " ")}`;
      return [label, mean_wait_ms, mean_turnaround_ms, interactive.mean_wait_ms];
    }),
  );
  report(io, ["ms", "wait", "turnaround", "interactive wait"], rows, {
    ...{ bench: "scheduler", holds, equal, weights, interactive, starvation },
    ...{ policies: compared, preemption, processes: alive },
  });
  if (!holds) process.exitCode = 1;
}

const command: Command<OptionTableFor<Values>> = defineCommand({
  name: "bench:scheduler",
  start: "npm run bench:scheduler --",
  summary: "shares, waits and turnaround of processes on our own engine",
  example: "npm run bench:scheduler -- --json",
  options: {
    seconds: {
      ...{ type: "integer", value: 8, check: inRange(4, 600) },
      doc: "Of each measurement on the engine.",
    },
    workloads: {
      ...{ type: "integer", value: 10_000, check: inRange(1, 10_000_000) },
      doc: "Simulated, for the bound of waits.",
    },
    processes: {
      ...{ type: "integer", value: 500, check: inRange(1, 100_000) },
      doc: "Alive at once in the kernel.",
    },
  },
  run: (values, io) => bench(values, io),
});

await runProgram(command);
