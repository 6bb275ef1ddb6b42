/** A shell's end of the control socket. */
import { request } from "node:http";
import { text } from "node:stream/consumers";
import { type ErrorCode, NutshellError } from "../../error.ts";
import type { MethodName, Params, Result } from "./protocol.ts";

export interface Control {
  /**
   * @throws what the daemon threw; USAGE when none listens; ABORTED
   */
  call<M extends MethodName>(
    method: M,
    params: Params<M>,
    signal?: AbortSignal,
  ): Promise<Result<M>>;
}

export function connectControl(socketPath: string): Control {
  return {
    async call(method, params, signal) {
      const answer = await post(socketPath, method, JSON.stringify(params), signal);
      const { result, error } = JSON.parse(answer);
      if (error === undefined) return result;
      throw new NutshellError(error.code as ErrorCode, error.message);
    },
  };
}

function post(
  socketPath: string,
  method: string,
  body: string,
  signal: AbortSignal | undefined,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const setting = { socketPath, path: `/${method}`, method: "POST", ...(signal && { signal }) };
    const sent = request(setting, (response) => text(response).then(resolve, reject));
    sent.on("error", (cause: NodeJS.ErrnoException) => reject(explain(socketPath, cause)));
    sent.end(body);
  });
}

const absent = new Set(["ENOENT", "ECONNREFUSED"]);

function explain(path: string, cause: NodeJS.ErrnoException): NutshellError {
  if (cause.name === "AbortError")
    return new NutshellError("ABORTED", "control: taken back.", { cause });
  const reason = absent.has(cause.code ?? "")
    ? `no daemon listens at ${path}. Start one: nutshell boot --detach`
    : `the daemon at ${path} does not answer (${cause.code}). See nutshell doctor.`;
  return new NutshellError("USAGE", `control: ${reason}`, { cause });
}
