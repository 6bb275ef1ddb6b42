/**
 * Which backend runs: the compiled one where the system has a C compiler, else plain JavaScript,
 * said once with what to install. The choice can be forced.
 */
import { NutshellError } from "../../error.ts";
import type { Backend } from "../backend.ts";
import { createCBackend } from "./c/backend.node.ts";
import { createReferenceBackend } from "./reference.ts";

export type BackendChoice = "auto" | "c" | "reference";

export interface ChooseOptions {
  /** Threads of the C backend; absent = one per core. */
  readonly threads?: number | undefined;
}

/**
 * @param say gets one line when "auto" has to do without a compiler
 * @throws TOOLCHAIN when "c" is asked for and no compiler answers
 */
export async function chooseBackend(
  choice: BackendChoice,
  { threads }: ChooseOptions,
  say: (line: string) => void,
): Promise<Backend> {
  if (choice === "reference") return createReferenceBackend();
  try {
    return await createCBackend(threads === undefined ? {} : { threads });
  } catch (error) {
    const noCompiler = error instanceof NutshellError && error.code === "TOOLCHAIN";
    if (choice === "c" || !noCompiler) throw error;
    say(`${error.message} Until then the reference backend runs: plain JavaScript, far slower.`);
    return createReferenceBackend();
  }
}
