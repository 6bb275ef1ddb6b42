/**
 * Masks what belongs to a person or opens a door: a table of kinds, each with a pattern, a check
 * and the placeholder that takes its place. Placeholders stay readable and are the same
 * everywhere, so a model learns "[email]" and never a mailbox. Masking twice changes nothing.
 *
 * Every pattern is linear in the length of the text: its runs are bounded and begin at a border.
 */
import {
  isAmericanPhone,
  isCardNumber,
  isIban,
  isInternationalPhone,
  isPublicIpv4,
  isPublicIpv6,
  isSocialSecurityNumber,
  looksRandom,
} from "./pii-checks.ts";

export interface MaskKind {
  readonly name: string;
  readonly placeholder: string;
  readonly doc: string;
  /** Cheap test that rules the kind out for a whole text. */
  readonly hint?: RegExp;
  readonly patterns: readonly RegExp[];
  check?(found: string): boolean;
}

export interface MaskedText {
  readonly text: string;
  /** Masked spans by kind. */
  readonly counts: ReadonlyMap<string, number>;
}

/** In order of preference where two kinds claim the same characters. */
export const maskKinds: readonly MaskKind[] = [
  {
    name: "private-key",
    placeholder: "[private key]",
    doc: "PEM and OpenSSH private keys",
    hint: /PRIVATE KEY/,
    patterns: [
      /-----BEGIN [A-Z ]{0,30}PRIVATE KEY(?: BLOCK)?-----[A-Za-z0-9+/=\s:,.()-]{16,16384}?-----END [A-Z ]{0,30}PRIVATE KEY(?: BLOCK)?-----/g,
      /-----BEGIN [A-Z ]{0,30}PRIVATE KEY(?: BLOCK)?-----[A-Za-z0-9+/=\s]{16,16384}/g,
    ],
  },
  {
    name: "api-key",
    placeholder: "[api key]",
    doc: "keys of well-known services",
    hint: /sk[-_]|rk_|AKIA|ASIA|gh[pousr]_|github_pat_|glpat-|xox[abeoprs]-|AIza|eyJ|npm_|hf_/,
    patterns: [
      /(?<![A-Za-z0-9])sk-(?:[a-z]{2,10}-){0,2}[A-Za-z0-9_-]{20,200}/g,
      /(?<![A-Za-z0-9])(?:sk|rk)_(?:live|test)_[A-Za-z0-9]{16,200}/g,
      /(?<![A-Za-z0-9])gh[pousr]_[A-Za-z0-9]{36,255}/g,
      /(?<![A-Za-z0-9])github_pat_[A-Za-z0-9_]{60,255}/g,
      /(?<![A-Za-z0-9])glpat-[A-Za-z0-9_-]{20,100}/g,
      /(?<![A-Za-z0-9])xox[abeoprs]-[A-Za-z0-9-]{20,200}/g,
      /(?<![A-Za-z0-9])AIza[A-Za-z0-9_-]{35}/g,
      /(?<![A-Za-z0-9])eyJ[A-Za-z0-9_-]{10,2000}\.eyJ[A-Za-z0-9_-]{10,4000}\.[A-Za-z0-9_-]{10,1000}/g,
      /(?<![A-Za-z0-9])(?:npm|hf)_[A-Za-z0-9]{30,60}/g,
    ],
    check: looksRandom,
  },
  {
    name: "api-key",
    placeholder: "[api key]",
    doc: "AWS access key ids",
    hint: /A[KS]IA/,
    patterns: [/(?<![A-Za-z0-9])A[KS]IA[A-Z2-7]{16}(?![A-Za-z0-9])/g],
  },
  {
    name: "email",
    placeholder: "[email]",
    doc: "e-mail addresses, also written with (at) and [dot]",
    hint: /@|[([{]\s?at\s?[)\]}]/i,
    patterns: [
      // The user of a Git host is the same for everybody: git@host:path.
      /(?<![\p{L}\p{N}_.+%-])(?!git@)[\p{L}\p{N}_+%][\p{L}\p{N}_.+%-]{0,63}@(?:[\p{L}\p{N}](?:[\p{L}\p{N}-]{0,62})\.){1,8}\p{L}{2,24}(?![\p{L}\p{N}])/gu,
      /(?<![\w.+%-])(?:[\w+%-]{1,63} ?[([{] ?dot ?[)\]}] ?){0,2}[\w+%][\w.+%-]{0,63}\s?[([{]\s?(?:at|@)\s?[)\]}]\s?[A-Za-z0-9-]{1,63}(?:(?:\s?[([{]\s?(?:dot|\.)\s?[)\]}]\s?|\s(?:dot|DOT)\s|\.)[A-Za-z0-9-]{1,63}){1,4}/gi,
    ],
    check: (found) => /[A-Za-z]/.test(found),
  },
  {
    name: "iban",
    placeholder: "[bank account]",
    doc: "international bank account numbers with a right checksum",
    patterns: [
      /(?<![A-Za-z0-9])[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,4})?(?![A-Za-z0-9])/g,
    ],
    check: isIban,
  },
  {
    name: "card",
    placeholder: "[card number]",
    doc: "payment card numbers of known networks with a right check digit",
    patterns: [
      /(?<![\d.,_-]|[A-Za-z])[2-6]\d{3}(?:[ -]?\d{4}){2}(?:[ -]?\d{1,7})(?![\d_]|[.,-]\d|[A-Za-z])/g,
      /(?<![\d.,_-]|[A-Za-z])3\d{3}[ -]?\d{6}[ -]?\d{4,5}(?![\d_]|[.,-]\d|[A-Za-z])/g,
    ],
    check: isCardNumber,
  },
  {
    name: "ssn",
    placeholder: "[social security number]",
    doc: "US social security numbers",
    patterns: [/(?<![\w.,-])\d{3}-\d{2}-\d{4}(?![\w-]|[.,]\d)/g],
    check: isSocialSecurityNumber,
  },
  {
    name: "ip",
    placeholder: "[ip address]",
    doc: "public IPv6 addresses",
    hint: /[0-9A-Fa-f]:[0-9A-Fa-f:]/,
    patterns: [
      /(?<![\w:.])[23][0-9A-Fa-f]{3}:(?:[0-9A-Fa-f]{0,4}:){1,6}[0-9A-Fa-f]{1,4}(?![\w:])/g,
    ],
    check: isPublicIpv6,
  },
  {
    name: "ip",
    placeholder: "[ip address]",
    doc: "public IPv4 addresses; small numbers are taken for versions",
    patterns: [/(?<![\w.-]|[vV]ersion |[rR]elease |§ ?)\d{1,3}(?:\.\d{1,3}){3}(?![\w-]|\.\d)/g],
    check: isPublicIpv4,
  },
  {
    name: "phone",
    placeholder: "[phone]",
    doc: "international numbers",
    hint: /\+\d/,
    patterns: [/(?<![\w+.])\+\d{1,3}(?:[ .-]?\(?\d{1,5}\)?){2,6}(?![\w]|[.,]\d)/g],
    check: isInternationalPhone,
  },
  {
    name: "phone",
    placeholder: "[phone]",
    doc: "North American numbers; toll-free ones are nobody's",
    patterns: [/(?<![\w.,$-])(?:1[ .-])?(?:\(\d{3}\) ?|\d{3}[.-])\d{3}[.-]\d{4}(?![\w-]|[.,]\d)/g],
    check: isAmericanPhone,
  },
  {
    name: "phone",
    placeholder: "[phone]",
    doc: "numbers that are said to be one",
    hint: /tel|phone|fax|mobile/i,
    patterns: [
      /(?<=\b(?:tel|telephone|phone|fax|mobile)\b\.?:? ?)\(?0\d{1,4}\)?(?:[ -]\d{2,4}){2,4}(?!\d)/gi,
    ],
    check: isInternationalPhone,
  },
];

interface Found {
  readonly kind: MaskKind;
  readonly start: number;
  readonly end: number;
}

export function maskPersonal(text: string): MaskedText {
  const counts = new Map<string, number>();
  let current = text;
  // What one mask took may have hidden the beginning of another: look until nothing is found.
  for (;;) {
    const next = maskOnce(current, counts);
    if (next === current) return { text: current, counts };
    current = next;
  }
}

function maskOnce(text: string, counts: Map<string, number>): string {
  const found: Found[] = [];
  for (const kind of maskKinds) findKind(text, kind, found);
  if (found.length === 0) return text;
  found.sort((a, b) => a.start - b.start);
  let out = "";
  let from = 0;
  for (const { kind, start, end } of found) {
    out += text.slice(from, start) + kind.placeholder;
    from = end;
    counts.set(kind.name, (counts.get(kind.name) ?? 0) + 1);
  }
  return out + text.slice(from);
}

function findKind(text: string, kind: MaskKind, found: Found[]): void {
  if (kind.hint !== undefined && !kind.hint.test(text)) return;
  for (const pattern of kind.patterns) {
    for (const match of text.matchAll(pattern)) {
      const start = match.index;
      const end = start + match[0].length;
      if (kind.check?.(match[0]) === false) continue;
      // Kinds earlier in the table keep what they claimed.
      if (found.some((other) => start < other.end && end > other.start)) continue;
      found.push({ kind, start, end });
    }
  }
}
