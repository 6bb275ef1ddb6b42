/**
 * A report as blocks: what it says, apart from how a page says it. Every text in a block is plain;
 * the renderers escape it. Only `svg` is markup, made by this program.
 */

export interface Cell {
  readonly text: string;
  /** Beside the text, smaller: an interval. */
  readonly detail?: string;
  readonly bold?: boolean;
}

export interface Answer {
  readonly model: string;
  readonly verdict: string | undefined;
  /** A model's own text, as `showText` gives it. */
  readonly text: string;
}

export type Block =
  | { readonly kind: "section"; readonly title: string }
  | { readonly kind: "heading"; readonly title: string }
  | { readonly kind: "paragraph"; readonly text: string }
  | { readonly kind: "list"; readonly items: readonly string[] }
  | {
      readonly kind: "table";
      readonly head: readonly string[];
      readonly rows: readonly (readonly Cell[])[];
      /** Columns of text, from the left; the others are numbers. */
      readonly words: number;
    }
  | {
      readonly kind: "answers";
      readonly title: string;
      readonly prompt: string;
      readonly expected: string | undefined;
      readonly answers: readonly Answer[];
    }
  | { readonly kind: "verbatim"; readonly text: string }
  | { readonly kind: "folded"; readonly summary: string; readonly blocks: readonly Block[] }
  | {
      readonly kind: "figure";
      /** Name of the picture's file, for pages that cannot hold it. */
      readonly file: string;
      readonly title: string;
      readonly svg: string;
    };

export interface Document {
  readonly title: string;
  readonly lead: readonly string[];
  readonly blocks: readonly Block[];
}

/** A renderer is one function a kind of block. */
export type BlockTable = {
  readonly [K in Block["kind"]]: (block: Extract<Block, { kind: K }>) => string;
};

export function renderBlocks(blocks: readonly Block[], table: BlockTable): string[] {
  return blocks.map((block) => (table[block.kind] as (block: Block) => string)(block));
}

export function cell(text: string, more: Omit<Cell, "text"> = {}): Cell {
  return { text, ...more };
}
