/**
 * What a file is, from its first bytes: the two containers that are read (gzip, Parquet) and those
 * that people mistake for text, each with what to do about it. Names of files are not trusted.
 */

/** Bytes at the start of a file, and what it needs before it can be a source. */
interface Signature {
  readonly kind: string;
  readonly bytes: readonly number[];
  readonly fix: string;
}

const ascii = (text: string): number[] => [...text].map((letter) => letter.charCodeAt(0));

const PGP = "a PGP-encrypted file";
const DECRYPT_PGP = "Decrypt it first (gpg --decrypt).";

const foreign: readonly Signature[] = [
  {
    kind: "an OpenSSL-encrypted file",
    bytes: ascii("Salted__"),
    fix: "Decrypt it first (openssl enc -d).",
  },
  {
    kind: "an age-encrypted file",
    bytes: ascii("age-encryption.org/"),
    fix: "Decrypt it first (age --decrypt).",
  },
  { kind: PGP, bytes: ascii("-----BEGIN PGP MESSAGE"), fix: DECRYPT_PGP },
  // A session key under a public key of 2048 or 4096 bits, or under a passphrase.
  { kind: PGP, bytes: [0x85, 0x01, 0x0c, 0x03], fix: DECRYPT_PGP },
  { kind: PGP, bytes: [0x85, 0x02, 0x0c, 0x03], fix: DECRYPT_PGP },
  { kind: PGP, bytes: [0x8c, 0x0d, 0x04], fix: DECRYPT_PGP },
  { kind: "a zip archive", bytes: [0x50, 0x4b, 3, 4], fix: "Unpack it first (unzip)." },
  { kind: "a zstd file", bytes: [0x28, 0xb5, 0x2f, 0xfd], fix: "Unpack it first (zstd -d)." },
  { kind: "an xz file", bytes: [0xfd, 0x37, 0x7a, 0x58, 0x5a], fix: "Unpack it first (xz -d)." },
  { kind: "a bzip2 file", bytes: ascii("BZh91AY"), fix: "Unpack it first (bzip2 -d)." },
  { kind: "a 7z archive", bytes: [0x37, 0x7a, 0xbc, 0xaf], fix: "Unpack it first (7z x)." },
  { kind: "a PDF", bytes: ascii("%PDF-"), fix: "Extract its text first (pdftotext)." },
  { kind: "an Arrow file", bytes: ascii("ARROW1\0\0"), fix: "Write it as Parquet or JSONL." },
];

const GZIP: readonly number[] = [0x1f, 0x8b];
/** Its mark and the first byte of a page, so that no text can be taken for it. */
const PARQUET: readonly number[] = [...ascii("PAR1"), 0x15];

/** Bit of a gzip header's flags that the first gzip used for encrypted members. */
const GZIP_ENCRYPTED = 0x20;

export function isGzip(head: Uint8Array): boolean {
  return startsWith(head, GZIP);
}

export function isEncryptedGzip(head: Uint8Array): boolean {
  return isGzip(head) && ((head[3] ?? 0) & GZIP_ENCRYPTED) !== 0;
}

export function isParquet(head: Uint8Array): boolean {
  return startsWith(head, PARQUET);
}

/** @returns what a file that cannot be a source is and the fix; undefined: it may be text */
export function foreignKind(head: Uint8Array): { kind: string; fix: string } | undefined {
  return foreign.find(({ bytes }) => startsWith(head, bytes));
}

function startsWith(head: Uint8Array, bytes: readonly number[]): boolean {
  return bytes.every((byte, i) => head[i] === byte);
}
