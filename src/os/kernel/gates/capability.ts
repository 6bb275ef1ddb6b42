/** Second gate: one of the rights that the process holds now covers this very call. */
import { covers } from "../../security/capability.ts";
import type { Refusal, Request } from "./gate.ts";

export function checkCapability({ state, running, name, args }: Request): Refusal | undefined {
  if (covers(running.capabilities, name, args.value, state.now())) return undefined;
  return {
    code: "CAPABILITY",
    message:
      `${name}: a capability must cover the call and its arguments, got none of ` +
      `${running.capabilities.length}. Grant it: nutshell grant ${running.pid} ${name}`,
  };
}
