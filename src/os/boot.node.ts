/**
 * One daemon, put together: Postgres, blobs, devices, scheduler, memory, programs, kernel. It ends
 * in the reverse order. What is not here is not in the system: the table of calls is this list.
 */
import { hostname } from "node:os";
import { join } from "node:path";
import { createBlobStore } from "../durable/blobs.ts";
import { openDatabase } from "../durable/database.ts";
import { type PostgresServer, startPostgres } from "../durable/postgres.ts";
import type { Engine } from "../llm/inference/engine.ts";
import { createAppCalls } from "./apps/calls.ts";
import { createCalculatorDevice } from "./devices/calculator.ts";
import { createClockDevice } from "./devices/clock.ts";
import type { Device } from "./devices/device.ts";
import { createFilesDevice, type FilesDevice } from "./devices/files.ts";
import { createHumanDevice } from "./devices/human.ts";
import { createLlmDevice } from "./devices/llm.ts";
import { bootKernel } from "./kernel/boot.ts";
import type { Kernel } from "./kernel/kernel.ts";
import type { KernelOptions } from "./kernel/options.ts";
import { type Memory, openMemory } from "./memory/memory.ts";
import { engineEmbedder, engineSummariser, tokenCounter } from "./memory/models.ts";
import { createAgentProgram } from "./planner/agent.ts";
import { createPlanProgram } from "./planner/plan-program.ts";
import { readPolicy } from "./policy-rules.ts";
import { appPlaces, toSpawn } from "./run-request.ts";
import type { LaneLimits } from "./scheduler/lane.ts";
import { createScheduler } from "./scheduler/scheduler.ts";
import type { HealthRow, System } from "./system.ts";

export interface SystemOptions {
  /** The daemon's folder: its database, blobs, keys. */
  readonly home: string;
  /** The first one is the default. The system does not own them. */
  readonly engines: readonly [Engine, ...Engine[]];
  /** A Postgres that daemons share; absent: $DATABASE_URL, else one of its own. */
  readonly databaseUrl?: string;
  /** What a person may want to know, in a line. */
  readonly say: (line: string) => void;
}

export interface BootedSystem extends System {
  /** Where the database came from. */
  readonly database: PostgresServer["source"];
}

/** @throws NutshellError DATABASE, DISK */
export async function bootSystem(options: SystemOptions): Promise<BootedSystem> {
  const { home, engines, say } = options;
  await using stack = new AsyncDisposableStack();
  const server = stack.use(await startPostgres(postgresOptions(options)));
  const database = stack.use(await openDatabase(server.url));
  const blobs = createBlobStore(join(home, "blobs"));
  let kernel: Kernel | undefined;
  const treeOf = async (pid: number) => {
    const found = await kernel?.process(pid);
    return found && { tree: found.fileTree, owner: found.owner };
  };
  const files = stack.use(await createFilesDevice({ database, blobs, treeOf }));
  const local = engines.find(({ can }) => can.tokens);
  const memory = await openMemory({
    ...{ database, blobs, tokensOf: tokenCounter(engines[0]) },
    // What a process keeps is not for another machine's eyes: that would need a right to it.
    ...optional("summariser", local && engineSummariser(local)),
    ...optional("embedder", local && engineEmbedder(local)),
  });
  const devices: readonly Device[] = [files, ...otherDevices(engines).map((one) => stack.use(one))];
  const syscalls = [
    ...devices.flatMap(({ calls }) => calls),
    ...memory.calls,
    ...createAppCalls(appPlaces(home)),
  ];
  kernel = stack.use(
    await bootKernel({
      ...{ database, syscalls, notice: say, modelDriven: ["agent"] },
      executorId: `${hostname()}:${home}`,
      programs: (table) => ({
        agent: createAgentProgram(table),
        plan: createPlanProgram(table),
      }),
      policy: await readPolicy(join(home, "policy.json")),
      anchorFile: join(home, "anchors"),
      ...forkHooks(files, memory),
    }),
  );
  const booted = stack.move();
  return createSystem({ options, kernel, memory, devices, server, stack: booted });
}

function postgresOptions({ home, databaseUrl, say }: SystemOptions) {
  return { dir: join(home, "postgres"), notice: say, ...optional("url", databaseUrl) };
}

/** An absent value is an absent key. */
function optional<K extends string, V>(key: K, value: V | undefined): { [P in K]?: V } {
  return value === undefined ? {} : ({ [key]: value } as { [P in K]: V });
}

function otherDevices(engines: readonly Engine[]): readonly Device[] {
  const byName = new Map(engines.map((engine) => [engine.model.id, engine]));
  return [
    createCalculatorDevice(),
    createClockDevice(),
    createHumanDevice(),
    createLlmDevice({ engines: byName, scheduler: createScheduler({ lanes: lanesOf(engines) }) }),
  ];
}

/** Texts made at once: ours share the cores of one machine, a provider's do not. */
function lanesOf(engines: readonly Engine[]): Readonly<Record<string, LaneLimits>> {
  const places = ({ can }: Engine): number => (can.tokens ? 4 : 8);
  return Object.fromEntries(engines.map((one) => [one.model.id, { places: places(one) }]));
}

/** What devices keep of a process begins for its fork as it was. */
function forkHooks(files: FilesDevice, memory: Memory): Pick<KernelOptions, "onFork"> {
  return {
    async onFork({ from, to, before }) {
      await files.fork(from.tree, to.tree, { pid: from.pid, call: before });
      await memory.fork(from.pid, to.pid, before);
    },
  };
}

interface Parts {
  readonly options: SystemOptions;
  readonly kernel: Kernel;
  readonly memory: Memory;
  readonly devices: readonly Device[];
  readonly server: PostgresServer;
  readonly stack: AsyncDisposableStack;
}

function createSystem({ options, kernel, memory, devices, server, stack }: Parts): BootedSystem {
  const places = appPlaces(options.home);
  return {
    kernel,
    database: server.source,
    async run(request) {
      const { spawn, refused } = await toSpawn(request, places, kernel.table);
      for (const { call } of refused) options.say(`run: the app asks for ${call}, not granted`);
      return kernel.spawn(spawn);
    },
    async schedule({ request, ...entry }) {
      const { spawn } = await toSpawn(request, places, kernel.table);
      await kernel.schedule({ ...entry, request: spawn });
    },
    memoryMap: (pid) => memory.map(pid),
    health: () => healthOf(devices, server),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

async function healthOf(
  devices: readonly Device[],
  { source, pid }: PostgresServer,
): Promise<readonly HealthRow[]> {
  const text = pid === undefined ? `from ${source}` : `from ${source}, pid ${pid}`;
  const rows = devices.map(async (device) => ({ name: device.name, ...(await device.check()) }));
  return [{ name: "postgres", ok: true, text }, ...(await Promise.all(rows))];
}
