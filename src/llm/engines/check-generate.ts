/** What every `generate` must obey; sampling is checked where it is used. */
import { NutshellError } from "../../error.ts";
import type { GenerateOptions } from "../inference/engine.ts";
import { checkCount } from "../inference/request.ts";

const MOST_ALTERNATIVES = 20;

/** @throws CONFIG naming the option that breaks its rule */
export function checkGenerate({ maxTokens, logprobs }: GenerateOptions): void {
  if (maxTokens !== undefined) checkCount("generate", "maxTokens", maxTokens);
  checkAlternatives("generate", logprobs);
}

/** @throws CONFIG unless absent or a whole number from 0 to 20 */
export function checkAlternatives(where: string, count: number | undefined): void {
  if (count === undefined) return;
  if (Number.isInteger(count) && count >= 0 && count <= MOST_ALTERNATIVES) return;
  throw new NutshellError(
    "CONFIG",
    `${where}: alternatives must be a whole number from 0 to ${MOST_ALTERNATIVES}, got ${count}.`,
  );
}
