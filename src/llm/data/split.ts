/**
 * The split into training and validation. Many documents: those whose id hashes to 0 modulo 50,
 * so a document keeps its side whatever else is added. One long document: its last tenth.
 */

import { NutshellError } from "../../error.ts";
import type { Document, RawSource, Source } from "./document.ts";
import { hashText } from "./hash.ts";

/** One document in this many is kept for validation. */
const VALIDATION_EVERY = 50;

/** Least characters of a single document that is split by position. */
const LEAST_SINGLE_DOCUMENT = 10_000;

/** Share of a single document that is trained on, as in nanoGPT. */
const TRAIN_SHARE = 0.9;

export function isValidation(id: string): boolean {
  return hashText(id) % VALIDATION_EVERY === 0;
}

/** A source of one short document has no validation part. */
export function splitSource(source: RawSource): Source {
  const { documents, ...rest } = source;
  const [only] = documents;
  if (documents.length === 1 && only !== undefined) return { ...rest, ...splitByPosition(only) };
  const least = leastHash(documents);
  const held = (id: string) => isValidation(id) || id === least;
  return {
    ...rest,
    train: documents.filter(({ id }) => !held(id)),
    validation: documents.filter(({ id }) => held(id)),
  };
}

/** @throws DATA when no source has anything to validate on */
export function requireValidation(origin: string, sources: readonly Source[]): void {
  if (sources.some(({ validation }) => validation.length > 0)) return;
  const length = sources[0]?.train[0]?.text.length ?? 0;
  throw new NutshellError(
    "DATA",
    `${origin}: a corpus needs at least 2 documents, or one of ${LEAST_SINGLE_DOCUMENT} ` +
      `characters whose last tenth validates, got 1 of ${length}. Add more text.`,
  );
}

/** The id to hold out where no document falls on the validation side by itself. */
function leastHash(documents: readonly Document[]): string | undefined {
  if (documents.some(({ id }) => isValidation(id))) return undefined;
  const ids = documents.map(({ id }) => id);
  return ids.reduce((a, b) => (hashText(b) < hashText(a) ? b : a));
}

function splitByPosition({ id, text }: Document): Pick<Source, "train" | "validation"> {
  if (text.length < LEAST_SINGLE_DOCUMENT) return { train: [{ id, text }], validation: [] };
  const middle = Math.floor(text.length * TRAIN_SHARE);
  const cut = /[\udc00-\udfff]/.test(text[middle] ?? "") ? middle + 1 : middle;
  return {
    train: [{ id: `${id}#train`, text: text.slice(0, cut) }],
    validation: [{ id: `${id}#validation`, text: text.slice(cut) }],
  };
}
