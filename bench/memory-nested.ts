/**
 * Nested key-value retrieval: values are keys of other pairs, four hops deep, in far more text
 * than the window holds. The reader is a script, so that paging is what is tested: it knows
 * nothing but the prompt that memory assembled, its own progress included, and can search and
 * page in. @see Packer et al. 2023, "MemGPT", section 3.2.2
 */
import { createHash } from "node:crypto";
import type { Message } from "../src/llm/chat/conversation.ts";
import type { Memory } from "../src/os/memory/memory.ts";
import { roughTokens } from "../src/os/memory/models.ts";
import type { Json } from "../src/os/security/labelled.ts";
import { createCaller } from "../test/os/memory/caller.ts";
import { zipf } from "./memory-paging.ts";

export interface KeyValueData {
  readonly documents: readonly string[];
  readonly questions: readonly { readonly key: string; readonly answer: string }[];
  /** Of all documents. */
  readonly tokens: number;
  /** Where they are, apart from what the reader said itself. */
  readonly space: string;
}

/** Keys on the way from a question to its answer. */
export const HOPS = 4;
const PAIRS = 5;

/** @param chains different questions; popular ones are asked more often */
export function makeData(
  random: () => number,
  documents: number,
  chains: number,
  questions: number,
  space: string,
): KeyValueData {
  const uuid = (): string => {
    const hex = Array.from({ length: 32 }, () => Math.floor(random() * 16).toString(16)).join("");
    return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
  };
  const chain = (): string[] => Array.from({ length: HOPS + 2 }, uuid);
  const all = Array.from({ length: chains }, chain);
  const pairs = all.flatMap((keys) => keys.slice(1).map((value, i) => [keys[i] as string, value]));
  while (pairs.length < documents * PAIRS) pairs.push([uuid(), uuid()]);
  const order = pairs.map((pair) => ({ pair, at: random() })).sort((a, b) => a.at - b.at);
  const texts = Array.from({ length: documents }, (_, i) =>
    order
      .slice(i * PAIRS, (i + 1) * PAIRS)
      .map(({ pair: [key, value] }) => `"${key}": "${value}"`)
      .join("\n"),
  );
  const asked = zipf(random, chains, questions).map((i) => all[i] as string[]);
  return {
    documents: texts,
    space,
    questions: asked.map((keys) => ({ key: keys[0] as string, answer: keys.at(-1) as string })),
    tokens: texts.reduce((sum, text) => sum + roughTokens(text), 0),
  };
}

/** All that the reader keeps, in its own last message. */
interface Note {
  readonly question: string;
  readonly key: string;
  /** Refs that a search for the key brought and that were not read yet; absent: not searched. */
  readonly refs?: readonly string[];
  readonly from?: string;
  readonly answer?: string;
}

interface Seen {
  readonly value: string;
  readonly ref: string;
}

const instructions =
  "Answer each question with the value that its key leads to. A value may be a key itself: follow " +
  "it to the end. Look in the window first; then memory.search, memory.page_in.";

/** A key's value in one of the documents in the window. */
function lookUp(messages: readonly Message[], key: string): Seen | undefined {
  for (const { role, content } of messages) {
    const ref = role === "user" ? /^\[(mem:\S+) /.exec(content)?.[1] : undefined;
    const value = ref && new RegExp(`"${key}": "([^"]+)"`).exec(content)?.[1];
    if (ref !== undefined && value !== undefined && value !== "") return { value, ref };
  }
  return undefined;
}

function lastNote(messages: readonly Message[]): Note {
  const last = messages.findLast(({ role, content }) => {
    return role === "assistant" || (role === "user" && content.startsWith("question "));
  }) as Message;
  if (last.role === "assistant") return JSON.parse(last.content) as Note;
  const key = last.content.slice("question ".length);
  return { question: key, key };
}

interface Prompt {
  readonly messages: readonly Message[];
  readonly prefix: number;
  readonly prefixHash: string;
  readonly tokens: number;
}

export interface NestedResult {
  readonly right: number;
  readonly turns: number;
  /** Different hashes of the prompts' first messages; 1 = the same bytes in every turn. */
  readonly prefixes: number;
  readonly mostTokens: number;
  /** Mean share of a prompt's bytes that the prompt before it had begun with. */
  readonly sharedPrefix: number;
  readonly counts: Readonly<Record<string, number>>;
  readonly hitRate: number;
  /** The documents that were used, in order. */
  readonly references: readonly number[];
}

export interface NestedOptions {
  readonly memory: Memory;
  readonly pid: number;
  readonly capacity: number;
  readonly onTurn: (questions: number) => void;
  readonly signal: AbortSignal;
}

export async function askAll(data: KeyValueData, options: NestedOptions): Promise<NestedResult> {
  const { memory, pid, capacity, signal } = options;
  const caller = createCaller(memory, pid);
  const [hashes, references] = [new Set<string>(), [] as number[]];
  let [right, turns, mostTokens, shared, before] = [0, 0, 0, 0, ""];
  const turn = async (append: Json): Promise<Prompt> => {
    signal.throwIfAborted();
    const { value } = await caller.call("memory.assemble", { capacity, append });
    const prompt = value as unknown as Prompt;
    const own = createHash("sha256").update(JSON.stringify(prompt.messages[0])).digest("hex");
    hashes.add(`${prompt.prefixHash} ${own}`);
    mostTokens = Math.max(mostTokens, prompt.tokens);
    const text = JSON.stringify(prompt.messages);
    shared += commonPrefix(before, text) / text.length;
    [turns, before] = [turns + 1, text];
    return prompt;
  };
  const use = (ref: string): void => {
    references.push(Number(ref.split("/")[1]));
  };
  const begin = [{ kind: "instruction", text: instructions }];
  for (const [i, { key, answer }] of data.questions.entries()) {
    const question = { kind: "dialogue", text: `question ${key}` };
    let prompt = await turn(i === 0 ? [...begin, question] : [question]);
    for (;;) {
      const { note, pageIn, search } = decide(prompt.messages);
      if (pageIn !== undefined) await caller.call("memory.page_in", { ref: pageIn });
      if (note.from !== undefined) use(note.from);
      const refs = search === undefined ? note.refs : await find(search);
      const said = { ...note, ...(refs !== undefined && { refs }) };
      const text = JSON.stringify(said);
      prompt = await turn([{ kind: "dialogue", role: "assistant", text }]);
      if (note.answer === undefined) continue;
      if (note.answer === answer) right++;
      break;
    }
    options.onTurn(i + 1);
  }
  async function find(query: string): Promise<readonly string[]> {
    const args = { query, space: data.space, limit: 2, excerpt: 0 };
    const { value } = await caller.call("memory.search", args);
    return (value as unknown as { ref: string }[]).map(({ ref }) => ref);
  }
  const { counts, hitRate } = (await memory.map(pid)) as unknown as NestedResult;
  const measured = { right, turns, prefixes: hashes.size, mostTokens, counts, hitRate };
  return { ...measured, sharedPrefix: shared / turns, references };
}

interface Decision {
  readonly note: Note;
  readonly search?: string;
  readonly pageIn?: string;
}

/** A function of the prompt alone. */
function decide(messages: readonly Message[]): Decision {
  const { question, key, refs } = lastNote(messages);
  const seen = lookUp(messages, key);
  if (seen !== undefined) return { note: { question, key: seen.value, from: seen.ref } };
  if (refs === undefined) return { note: { question, key }, search: key };
  const [pageIn, ...rest] = refs;
  if (pageIn === undefined) return { note: { question, key, answer: key } };
  return { note: { question, key, refs: rest }, pageIn };
}

function commonPrefix(a: string, b: string): number {
  let length = 0;
  while (length < a.length && a.charCodeAt(length) === b.charCodeAt(length)) length++;
  return length;
}

/**
 * The same questions to a window into which everything was read once, oldest summarised away: what
 * is still there can be followed, the rest is gone.
 */
export function askSlidingWindow(data: KeyValueData, capacity: number): number {
  const window: string[] = [];
  let room = capacity * 0.9; // a tenth is the summary
  for (const text of data.documents.toReversed()) {
    room -= roughTokens(text);
    if (room < 0) break;
    window.push(text);
  }
  const pairs = new Map(
    window.flatMap((text) =>
      [...text.matchAll(/"([^"]+)": "([^"]+)"/g)].map(([, key, value]) => [key, value] as const),
    ),
  );
  const follow = (key: string): string => (pairs.has(key) ? follow(pairs.get(key) as string) : key);
  return data.questions.filter(({ key, answer }) => follow(key) === answer).length;
}
