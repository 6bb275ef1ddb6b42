/** The exported C file, compiled by the system's compiler and run as a user runs it. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";

const execute = promisify(execFile);

export interface CPeer {
  /** Ids of the prompt, and greedy ids after it up to the first that ends a text. */
  greedy(prompt: string, tokens: number): Promise<{ prompt: number[]; text: number[] }>;
  run(...args: readonly string[]): Promise<string>;
}

/** @param folder what `export --to c` wrote  @param flags of the compiler */
export async function compileC(
  folder: string,
  flags: readonly string[] = ["-O3", "-march=native"],
): Promise<CPeer> {
  const program = join(folder, "run");
  await execute("cc", [...flags, "-o", program, join(folder, "model.c"), "-lm"]);
  const run = async (...args: readonly string[]): Promise<string> =>
    (await execute(program, [join(folder, "weights.bin"), ...args])).stdout;
  return {
    run,
    async greedy(prompt, tokens) {
      const lines = (await run(prompt, "-t", "0", "-n", String(tokens), "-i")).split("\n");
      const [first = [], second = []] = lines.map((line) =>
        line.split(" ").flatMap((word) => (word === "" ? [] : [Number(word)])),
      );
      return { prompt: first, text: second };
    },
  };
}
