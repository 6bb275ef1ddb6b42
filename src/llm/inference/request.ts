/** What every request for a text must obey, whoever serves it. */
import { NutshellError } from "../../error.ts";

/** @throws CONFIG unless count is a whole number from 1 to `most` */
export function checkCount(where: string, name: string, count: number, most?: number): void {
  if (Number.isSafeInteger(count) && count >= 1 && !(count > (most ?? count))) return;
  const range = most === undefined ? "1 or more" : `from 1 to ${most}`;
  throw configError(where, `${name} must be a whole number, ${range}, got ${count}.`);
}

/** @throws CONFIG when there is no prompt, it fills the context, or an id is not of the table */
export function checkPrompt(
  where: string,
  ids: readonly number[],
  contextLen: number,
  vocabSize: number,
): void {
  if (ids.length === 0)
    throw configError(
      where,
      "prompt must hold a token, got none. Begin with the start-of-text token.",
    );
  if (ids.length >= contextLen)
    throw configError(
      where,
      `prompt must leave room in a context of ${contextLen} tokens, got ${ids.length}. ` +
        "Shorten the prompt.",
    );
  checkIds(where, ids, vocabSize);
}

/** @throws CONFIG when an id is not of the table */
export function checkIds(where: string, ids: readonly number[], vocabSize: number): void {
  const stranger = ids.find((id) => !(Number.isInteger(id) && id >= 0 && id < vocabSize));
  if (stranger === undefined) return;
  throw configError(
    where,
    `token ids must lie in [0, ${vocabSize}), got ${stranger}. ` +
      "Use the tokenizer stored beside the model.",
  );
}

function configError(where: string, what: string): NutshellError {
  return new NutshellError("CONFIG", `${where}: ${what}`);
}
