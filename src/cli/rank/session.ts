/**
 * What one person still has to rank, and what they did: shared by the page and the terminal. The
 * order in which answers are shown is shuffled for each prompt, always in the same way, and where
 * an answer came from is never shown. Every ranking is in the file before the next one is asked.
 */
import { createHash } from "node:crypto";
import { philox } from "../../compute/philox.ts";
import { NutshellError } from "../../error.ts";
import type { Message } from "../../llm/chat/conversation.ts";
import type { RankingFile } from "./ranking-file.ts";

/** A prompt with the answers that are to be ranked. */
export interface RankItem {
  readonly id: string;
  readonly prompt: readonly Message[];
  readonly responses: readonly string[];
}

/** What a person sees. */
export interface Question {
  readonly id: string;
  readonly prompt: readonly Message[];
  /** In the order shown. */
  readonly answers: readonly string[];
}

export interface Progress {
  readonly done: number;
  readonly total: number;
  readonly canUndo: boolean;
}

export interface RankSession {
  /** Undefined when everything is done. */
  current(): Question | undefined;
  progress(): Progress;
  /**
   * @param groups places in the order shown, best group first; several in one group are equal
   * @throws DATA when `id` is not the current question or a place is missing
   */
  rank(id: string, groups: readonly (readonly number[])[]): void;
  cannotSay(id: string): void;
  /** Asks again after all the others. */
  skip(id: string): void;
  /** Takes back what was saved last, and asks it again. @returns whether there was anything */
  undo(): boolean;
}

/** @returns the same for the same messages, whatever the run */
export function promptId(prompt: readonly Message[]): string {
  return createHash("sha256").update(JSON.stringify(prompt)).digest("hex").slice(0, 16);
}

/** Words of an id, for what is to be random and yet always the same for one prompt. */
export function idWords(id: string): [number, number] {
  return [Number.parseInt(id.slice(0, 8), 16), Number.parseInt(id.slice(8, 16), 16)];
}

/** @param items prompts that `file` has already are not asked again */
export function createRankSession(
  items: readonly RankItem[],
  file: RankingFile,
  now: () => Date = () => new Date(),
): RankSession {
  const done = new Set(file.rows.map(({ id }) => id));
  const queue: RankItem[] = items.filter(({ id }) => !done.has(id));
  const total = queue.length + file.rows.length;

  function take(id: string): RankItem {
    const item = queue[0];
    if (item?.id === id) return item;
    throw badRanking(`must be of the question that is shown, ${item?.id ?? "none"}, got ${id}`);
  }

  function save(item: RankItem, ranking: number[][], verdict: "ranked" | "cannot-say"): void {
    const { id, prompt, responses } = item;
    const shown = shownOrder(item);
    file.add({ id, prompt, responses, ranking, verdict, shown, at: now().toISOString() });
    queue.shift();
  }

  return {
    current() {
      const item = queue[0];
      if (item === undefined) return undefined;
      const answers = shownOrder(item).map((index) => item.responses[index] as string);
      return { id: item.id, prompt: item.prompt, answers };
    },
    progress: () => ({ done: file.rows.length, total, canUndo: file.rows.length > 0 }),
    rank(id, groups) {
      const item = take(id);
      checkGroups(groups, item.responses.length);
      const shown = shownOrder(item);
      const ranking = groups.map((group) => group.map((place) => shown[place] as number));
      save(item, ranking, "ranked");
    },
    cannotSay(id) {
      const item = take(id);
      save(item, [item.responses.map((_, i) => i)], "cannot-say");
    },
    skip(id) {
      const item = take(id);
      queue.push(item);
      queue.shift();
    },
    undo() {
      const row = file.undo();
      if (row === undefined) return false;
      // The very answers that were ranked, also when this run has drawn others.
      const { id, prompt, responses } = row;
      queue.unshift({ id, prompt, responses });
      return true;
    },
  };
}

/** Indices into `responses`, shuffled by the prompt's own id (Fisher–Yates). */
function shownOrder({ id, responses }: RankItem): number[] {
  const order = responses.map((_, i) => i);
  for (let i = order.length - 1; i > 0; i--) {
    const [word = 0] = philox([i, 0, 0, 0], idWords(id));
    const j = word % (i + 1);
    [order[i], order[j]] = [order[j] as number, order[i] as number];
  }
  return order;
}

function checkGroups(groups: readonly (readonly number[])[], count: number): void {
  const places = groups.flat().sort((a, b) => a - b);
  const isWhole = places.length === count && places.every((place, i) => place === i);
  if (isWhole && groups.every((group) => group.length > 0)) return;
  throw badRanking(`must hold each of ${count} answers once, got ${JSON.stringify(groups)}`);
}

function badRanking(what: string): NutshellError {
  return new NutshellError("DATA", `rank: a ranking ${what}. Rank what is shown.`);
}
