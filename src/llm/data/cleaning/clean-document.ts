/**
 * One document through the rules that need no other document: normalise, mask, quality, language,
 * content hash. Pure; runs in worker threads. A dropped document keeps its text, so that people
 * can look at it.
 */
import { type Document, utf8Length } from "../document.ts";
import type { Domain } from "../sources/source.ts";
import type { CleaningRules } from "./cleaning.ts";
import { contentHash } from "./content-hash.ts";
import { type LanguageDetector, tryFindForeign } from "./language.ts";
import { normaliseText } from "./normalise.ts";
import { maskPersonal } from "./pii.ts";
import { firstBrokenRule } from "./quality-rules.ts";
import { createTextShape, measureText, type TextShape } from "./text-shape.ts";

/** Why a document goes. */
export interface Drop {
  readonly rule: string;
  /** What was measured and what is allowed, for people. */
  readonly detail: string;
  /** UTF-16 offsets in the cleaned text, [start, end). */
  readonly span: readonly [start: number, end: number] | undefined;
}

export interface CleanedDocument {
  readonly id: string;
  readonly text: string;
  readonly contentHash: bigint;
  /** UTF-8 bytes as read, and of `text`. */
  readonly bytesRead: number;
  readonly bytes: number;
  readonly drop: Drop | undefined;
  /** Masked spans by kind; undefined: none. */
  readonly masks: ReadonlyMap<string, number> | undefined;
}

export interface CleanerOptions {
  readonly rules: CleaningRules;
  readonly domain: Domain;
  /** Of the source; undefined: not stated. */
  readonly language: string | undefined;
  /** Where the source states none; undefined: any. */
  readonly languages: readonly string[] | undefined;
  /** Undefined: languages are not looked at. */
  readonly detector: LanguageDetector | undefined;
}

/** The mask of invisible characters, which have no placeholder. */
export const INVISIBLE = "invisible";

export function createCleaner(options: CleanerOptions): (document: Document) => CleanedDocument {
  const { rules, domain } = options;
  const shape = createTextShape();
  return ({ id, text }) => {
    const masks = new Map<string, number>();
    const normal = rules.normalise ? normalise(text, domain !== "code", masks) : text;
    const cleaned = rules.pii ? mask(normal, masks) : normal;
    const bytesRead = utf8Length(text);
    return {
      id,
      text: cleaned,
      contentHash: contentHash(cleaned),
      bytesRead,
      bytes: cleaned === text ? bytesRead : utf8Length(cleaned),
      drop: findDrop(cleaned, options, shape),
      masks: masks.size === 0 ? undefined : masks,
    };
  };
}

function normalise(text: string, nfc: boolean, masks: Map<string, number>): string {
  const { text: normal, invisible } = normaliseText(text, nfc);
  if (invisible > 0) masks.set(INVISIBLE, invisible);
  return normal;
}

function mask(text: string, masks: Map<string, number>): string {
  const { text: masked, counts } = maskPersonal(text);
  for (const [kind, count] of counts) masks.set(kind, count);
  return masked;
}

function findDrop(text: string, options: CleanerOptions, shape: TextShape): Drop | undefined {
  const { rules, domain, language } = options;
  if (!rules.quality && !rules.language) return undefined;
  measureText(text, shape);
  const broken = rules.quality ? firstBrokenRule(shape, domain, language) : undefined;
  if (broken !== undefined) {
    const { rule, value, span } = broken;
    const allowed = `at ${rule.drops === "above" ? "most" : "least"} ${rule.limit}`;
    return { rule: rule.name, detail: `${rule.doc}: ${round(value)}, ${allowed}`, span };
  }
  return rules.language ? findForeign(text, options, shape) : undefined;
}

function findForeign(text: string, options: CleanerOptions, shape: TextShape): Drop | undefined {
  const { language, languages, detector, domain } = options;
  const allowed = language === undefined ? languages : [language];
  // Code is in its own language, whatever its comments are in.
  if (allowed === undefined || detector === undefined || domain === "code") return undefined;
  if (allowed.includes("en") && isPlainlyEnglish(shape)) return undefined;
  const foreign = tryFindForeign(text, allowed, shape.letters, detector);
  if (foreign === undefined) return undefined;
  const detail = `looks like ${foreign.language}, lead ${round(foreign.lead)}; allowed: ${allowed}`;
  return { rule: "language", detail, span: foreign.span };
}

/** The eight stop words are about a fifth of English prose, and none of any other language. */
const ENGLISH_SHARE = 0.08;

/** Spares nearly every English text the detector, which costs more than all other rules. */
function isPlainlyEnglish({ stopWordBits, stopWords, words }: TextShape): boolean {
  const several = (stopWordBits & (stopWordBits - 1)) !== 0;
  return several && stopWords >= ENGLISH_SHARE * words;
}

const round = (value: number): number => Number(value.toPrecision(3));
