/**
 * Which language a text is in, by n-grams (the package `eld`, 60 languages). The detector reads
 * about 350 bytes at a time, so a long text is asked at up to three places; a text counts as
 * foreign only when every place does, by a margin. Short text, where detectors guess, is not judged.
 */

/** A detector as `eld` is one. */
export interface LanguageDetector {
  detect(text: string): { readonly language: string; getScores(): Record<string, number> };
}

export interface ForeignLanguage {
  /** ISO 639-1 code of the language that the text seems to be in. */
  readonly language: string;
  /** 0 to 1: how far that language leads over the allowed ones, at the place least sure. */
  readonly lead: number;
  /** UTF-16 offsets of the place least sure, [start, end). */
  readonly span: readonly [start: number, end: number];
}

/** Below this many letters nothing is said about a text. */
export const LEAST_LETTERS = 200;

/** UTF-16 units given to the detector at one place. */
const WINDOW = 450;

/** A lead below this is a mixture of languages, a list of names or a guess. */
export const LEAST_LEAD = 0.25;

/**
 * @param allowed ISO 639-1 codes
 * @param letters in the whole text
 * @returns undefined when the text is in an allowed language, or nobody can tell
 */
export function tryFindForeign(
  text: string,
  allowed: readonly string[],
  letters: number,
  detector: LanguageDetector,
): ForeignLanguage | undefined {
  if (letters < LEAST_LETTERS) return undefined;
  let surest: ForeignLanguage | undefined;
  for (const start of windowStarts(text.length)) {
    const end = Math.min(text.length, start + WINDOW);
    const found = judgeWindow(text, start, end, allowed, detector);
    if (found === undefined) return undefined;
    if (surest === undefined || found.lead < surest.lead) surest = found;
  }
  return surest;
}

/** The middle first: beginnings hold names and headings. */
function windowStarts(length: number): number[] {
  const room = length - WINDOW;
  if (room <= 0) return [0];
  return [Math.floor(room / 2), 0, room];
}

function judgeWindow(
  text: string,
  start: number,
  end: number,
  allowed: readonly string[],
  detector: LanguageDetector,
): ForeignLanguage | undefined {
  const result = detector.detect(text.slice(start, end));
  if (result.language === "" || allowed.includes(result.language)) return undefined;
  const scores = result.getScores();
  const best = scores[result.language] ?? 0;
  const own = Math.max(0, ...allowed.map((language) => scores[language] ?? 0));
  const lead = best === 0 ? 0 : 1 - own / best;
  return lead < LEAST_LEAD ? undefined : { language: result.language, lead, span: [start, end] };
}
