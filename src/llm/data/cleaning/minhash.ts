/**
 * What near-duplicate search keeps of one document: its MinHash bands and a sample of its shingles.
 */

/**
 * Pure; runs in worker threads.
 * @returns a compact signature, about 120 bytes and a third of a byte a character
 */
export declare function signDocument(text: string): Uint8Array;
