/**
 * The words of the data layer: a document is one text with a stable id; a source is a named set of
 * documents under one licence with a weight, the share of training tokens drawn from it.
 */

export interface Document {
  /** Stable over runs and machines: the validation split follows from it. */
  readonly id: string;
  readonly text: string;
}

/** Documents as a reader finds them. */
export interface RawSource {
  readonly name: string;
  readonly licence: string;
  /** Relative to the other sources; need not sum to 1. */
  readonly weight: number;
  readonly documents: readonly Document[];
}

/** Documents after the split; no document lies in both parts. */
export interface Source {
  readonly name: string;
  readonly licence: string;
  readonly weight: number;
  readonly train: readonly Document[];
  readonly validation: readonly Document[];
}

/** Length of `text` in UTF-8 bytes; a lone surrogate counts as U+FFFD does. */
export function utf8Length(text: string): number {
  let bytes = text.length;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x80) continue;
    if (unit < 0x800) bytes += 1;
    else if (isHigh(unit) && isLow(text.charCodeAt(i + 1))) {
      bytes += 2;
      i++;
    } else bytes += 2;
  }
  return bytes;
}

function isHigh(unit: number): boolean {
  return (unit & 0xfc00) === 0xd800;
}

function isLow(unit: number): boolean {
  return (unit & 0xfc00) === 0xdc00;
}

/** UTF-8 bytes of all texts. */
export function totalBytes(documents: readonly Document[]): number {
  return documents.reduce((sum, { text }) => sum + utf8Length(text), 0);
}
