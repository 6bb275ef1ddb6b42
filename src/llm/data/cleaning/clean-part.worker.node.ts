/**
 * A cleaning worker: reads one part at a time, cleans its documents one after the other and writes
 * them as Parquet. It holds one document and one file's worth of rows.
 */
import { parentPort, workerData } from "node:worker_threads";
import { NutshellError } from "../../../error.ts";
import { readPart } from "../sources/read-part.node.ts";
import { type CleanedDocument, createCleaner } from "./clean-document.ts";
import type { PartTask, WorkerFacts, WorkerReport } from "./clean-part.ts";
import { findEvalHits } from "./decontaminate.ts";
import type { LanguageDetector } from "./language.ts";
import { signDocument } from "./minhash-signature.ts";
import { createPartWriter, type RowExtras } from "./part-file.node.ts";

const facts = workerData as WorkerFacts;
const stop = new Int32Array(facts.stop);

/** Told once for this much text. */
const PROGRESS_BYTES = 1 << 20;

let detector: LanguageDetector | undefined;

function report(message: WorkerReport): void {
  parentPort?.postMessage(message);
}

/** Its database is closed when it returns: only then may the thread be ended. */
async function cleanPart(task: PartTask): Promise<WorkerReport> {
  const { part, fraction, key } = task;
  const { rules, languages } = facts;
  if (rules.language) detector ??= (await import("eld/small")).eld;
  const clean = createCleaner({ ...task, rules, languages, detector });
  await using writer = await createPartWriter(facts.folder, key);
  let bytes = 0;
  for await (const document of readPart(part, { fraction })) {
    if (Atomics.load(stop, 0) !== 0) return { type: "stopped" };
    const cleaned = clean(document);
    await writer.write(cleaned, extrasOf(cleaned));
    bytes += cleaned.bytesRead;
    if (bytes < PROGRESS_BYTES) continue;
    report({ type: "progress", key, bytes });
    bytes = 0;
  }
  const files = await writer.finish();
  report({ type: "progress", key, bytes });
  return { type: "done", key, files };
}

/** A dropped document takes no part in what compares documents. */
function extrasOf({ text, drop }: CleanedDocument): RowExtras {
  if (drop !== undefined) return { signature: undefined, evalHits: undefined };
  const { rules, evalIndex } = facts;
  return {
    signature: rules.nearDuplicates ? signDocument(text) : undefined,
    evalHits: evalIndex === undefined ? undefined : findEvalHits(text, evalIndex),
  };
}

parentPort?.on("message", async (task: PartTask) => {
  try {
    report(await cleanPart(task));
  } catch (error) {
    const code = error instanceof NutshellError ? error.code : undefined;
    report({ type: "failed", code, error: error as Error });
  }
});
