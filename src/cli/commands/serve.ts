/** `nutshell serve`: a model behind OpenAI's HTTP API, until it is told to stop. */
import { readFile } from "node:fs/promises";
import { NutshellError } from "../../error.ts";
import { openEngine } from "../../llm/engines/open-engine.node.ts";
import type { OptionTableFor } from "../../options.ts";
import { type RunningServer, startServer } from "../../server/start-server.ts";
import { type Command, type CommandIo, defineCommand } from "../command.ts";
import {
  type ServeValues,
  serveOptions,
  toEngineOptions,
  toServerSettings,
} from "../serve/options.ts";

const EXAMPLE = "nutshell serve --model models/kernel --port 8080";

export const command: Command<OptionTableFor<ServeValues>> = defineCommand({
  name: "serve",
  summary: "a model behind OpenAI's HTTP API, with a chat page",
  example: EXAMPLE,
  options: serveOptions,
  async run(values, io) {
    const { model, keysFile } = values;
    if (model === undefined)
      throw new NutshellError("USAGE", `serve: needs --model, got none. Try: ${EXAMPLE}`);
    const settings = toServerSettings(values, await readKeys(keysFile));
    const say = (line: string): void => io.stderr(`${line}\n`);
    await using engine = await openEngine(model, { ...toEngineOptions(values), say });
    const log = values.quiet ? (): void => {} : io.stderr;
    const server = await startServer(engine, settings, log);
    const { id } = engine.model;
    announce(server, settings.modelName ?? id, io);
    await untilAborted(io.signal);
    await server.close();
  },
});

async function readKeys(path: string | undefined): Promise<string | undefined> {
  if (path === undefined) return undefined;
  return readFile(path, "utf8").catch((cause: NodeJS.ErrnoException) => {
    const message = `serve: --keys-file must be readable, got ${path} (${cause.code}).`;
    throw new NutshellError("USAGE", message, { cause });
  });
}

function announce({ url, port }: RunningServer, model: string, io: CommandIo): void {
  if (io.json) io.stdout(`${JSON.stringify({ url, port, model, pid: process.pid })}\n`);
  else io.stdout(`${url}\n`);
  io.stderr(`serving ${model}: chat at ${url}/, API at ${url}/v1; Ctrl-C stops it\n`);
}

function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
