/** The shards of one side of a source as one sequence of tokens. */
import { join } from "node:path";
import type { ManifestShard, Side, SourceShards } from "./manifest.ts";
import { openShard, type ShardFile } from "./shard-file.node.ts";
import type { TokenDocuments, TokenReader } from "./token-documents.ts";

export interface OpenShards extends Disposable {
  readonly documents: TokenDocuments;
  readonly files: readonly ShardFile[];
}

/** @param folder that of the manifest  @throws DATA; see `openShard` */
export function openSide(folder: string, { shards }: SourceShards, side: Side): OpenShards {
  const files: ShardFile[] = [];
  const dispose = (): void => {
    for (const file of files) file[Symbol.dispose]();
  };
  try {
    for (const shard of shards) if (shard.side === side) files.push(open(folder, shard));
    return { files, documents: joinShards(files), [Symbol.dispose]: dispose };
  } catch (error) {
    dispose();
    throw error;
  }
}

function open(folder: string, shard: ManifestShard): ShardFile {
  return openShard(join(folder, shard.file), shard);
}

function joinShards(files: readonly ShardFile[]): TokenDocuments {
  const documents = files.reduce((sum, { header }) => sum + header.documents, 0);
  const firsts = new Float64Array(files.length + 1);
  const starts = new Float64Array(documents + 1);
  let at = 0;
  for (const [i, { header, starts: local }] of files.entries()) {
    const first = firsts[i] as number;
    for (let d = 0; d < local.length; d++) starts[at++] = first + (local[d] as number);
    firsts[i + 1] = first + header.tokens;
  }
  starts[documents] = firsts[files.length] as number;
  return { starts, tokens: readAcross(files, firsts) };
}

/** @param firsts where each file begins in the sequence, and where the last one ends */
function readAcross(files: readonly ShardFile[], firsts: Float64Array): TokenReader {
  return {
    length: firsts[files.length] as number,
    copyTo(out, at, start, count) {
      let [position, open] = [start, count];
      for (let i = 0; open > 0; i++) {
        const end = firsts[i + 1] as number;
        if (position >= end) continue;
        const here = Math.min(open, end - position);
        const file = files[i] as ShardFile;
        file.copyTo(out, at + count - open, position - (firsts[i] as number), here);
        position += here;
        open -= here;
      }
    },
  };
}
