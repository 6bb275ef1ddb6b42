/**
 * Reads evaluation sets from folders and files and indexes their n-grams.
 */

import type { EvalIndex } from "./decontaminate.ts";

/**
 * @param paths folders or files of JSON lines, gzipped or not
 * @throws DATA when a path is missing or a file is not JSON lines
 */
export declare function readEvalIndex(paths: readonly string[]): Promise<EvalIndex>;
