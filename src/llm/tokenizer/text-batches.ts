/** Groups texts into jobs for worker threads: large enough to be worth a message, and bounded. */

/** @param characters a batch ends with the text that brings it to this many characters */
export async function* batchTexts(
  texts: Iterable<string> | AsyncIterable<string>,
  characters: number,
): AsyncGenerator<string[]> {
  let batch: string[] = [];
  let length = 0;
  for await (const text of texts) {
    batch.push(text);
    length += text.length;
    if (length < characters) continue;
    yield batch;
    batch = [];
    length = 0;
  }
  if (batch.length > 0) yield batch;
}
