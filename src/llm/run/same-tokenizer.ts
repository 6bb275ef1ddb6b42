/** Text that was cut into ids once must be read by a model of the same vocabulary. */
import { NutshellError } from "../../error.ts";

/**
 * @param folder holds the prepared text  @param prepared its tokenizer.json, as text
 * @param model the model's tokenizer.json, as text
 * @throws DATA when they differ: ids of one vocabulary mean nothing in another
 */
export function requireSameTokenizer(folder: string, prepared: string, model: string): void {
  if (canonical(prepared) === canonical(model)) return;
  throw new NutshellError(
    "DATA",
    `${folder}: must be prepared with the model's own tokenizer, got another one. ` +
      "Name the folder that the model was trained on.",
  );
}

/** Without what only a writer of JSON chooses. */
function canonical(json: string): string {
  return JSON.stringify(JSON.parse(json));
}
