/**
 * Memory's rows of the syscall table. What a process does to its own memory touches nobody else,
 * and labels travel with every text, so that all of it is a read to the policy; only `forget`
 * takes something away.
 *
 * `memory.assemble` is for planners: what was said since in, the prompt out. The rest is for
 * models and plans.
 */
import type { Syscall } from "../kernel/syscall.ts";
import { type Assembler, assemble } from "./assemble.ts";
import { list, type Searcher, search } from "./listing.ts";
import { forget, pageIn, pin, unpin, write } from "./paging.ts";

type Schema = Readonly<Record<string, unknown>>;

const closed = (properties: Schema, required: readonly string[]): Schema => ({
  ...{ type: "object", properties, required, additionalProperties: false },
});
const oneOf = (...values: readonly string[]): Schema => ({ type: "string", enum: values });
const upTo = (maximum: number, minimum = 0): Schema => ({ type: "integer", minimum, maximum });
const line = (maxLength: number): Schema => ({ type: "string", maxLength });

const text: Schema = { type: "string" };
const ref = line(32);
const space = line(200);
const toolCall = closed({ id: line(256), name: line(256), arguments: text }, ["name", "arguments"]);
const kinds = oneOf("instruction", "plan", "dialogue", "tool-output", "retrieved", "note");
const said = closed(
  {
    ...{ kind: kinds, role: oneOf("system", "user", "assistant", "tool"), text, ref },
    ...{ title: line(1000), toolCalls: { type: "array", items: toolCall, maxItems: 256 } },
    ...{ callId: line(256), pinned: { type: "boolean" } },
  },
  ["kind"],
);

const assembleArgs = closed(
  {
    append: { type: "array", items: said, maxItems: 256 },
    capacity: upTo(1e8, 1),
    focus: line(10_000),
  },
  ["capacity"],
);
const pageInArgs = closed({ ref, from: upTo(2 ** 31), count: upTo(2 ** 31, 1) }, ["ref"]);
const writeArgs = closed({ text, title: line(1000), space }, ["text"]);
const searchArgs = closed({ query: line(10_000), space, limit: upTo(50, 1), excerpt: upTo(2000) }, [
  "query",
]);
const listArgs = closed({ space, after: ref, limit: upTo(200, 1) }, []);
const forgetArgs = closed({ ref, undo: { type: "boolean" } }, ["ref"]);
const refArgs = closed({ ref }, ["ref"]);

const own = { effect: "idempotent", access: "read", sinks: {} } as const;

export function memoryCalls(machine: Assembler & Searcher): readonly Syscall[] {
  const row = (
    name: string,
    doc: string,
    args: Schema,
    run: (
      of: Assembler & Searcher,
      ...call: Parameters<Syscall["run"]>
    ) => ReturnType<Syscall["run"]>,
  ): Syscall => {
    const { database } = machine;
    // Each may be done again: what was done is found done.
    return {
      ...own,
      name,
      doc,
      args,
      run: (...call) => database.retry(() => run(machine, ...call)),
    };
  };
  return [
    row(
      "memory.assemble",
      "Adds what was said, makes room, and gives the prompt within capacity tokens.",
      assembleArgs,
      assemble,
    ),
    row(
      "memory.page_in",
      "Brings a text, or from a character on count of them, into the window by its ref.",
      pageInArgs,
      pageIn,
    ),
    row("memory.write", "Puts a note where memory.search finds it.", writeArgs, write),
    row("memory.pin", "Brings a text into the window and keeps it there.", refArgs, pin),
    row("memory.unpin", "Lets a pinned text leave the window again.", refArgs, unpin),
    row(
      "memory.search",
      "Finds texts that were put away, by words and by meaning; best first, with refs.",
      searchArgs,
      search,
    ),
    row("memory.list", "Lists texts that were put away, oldest first.", listArgs, list),
    {
      ...row(
        "memory.forget",
        "Keeps a text apart: not shown, not found, not deleted; undo brings it back.",
        forgetArgs,
        forget,
      ),
      access: "write",
      sinks: { ref: "target", undo: "neutral" },
    },
  ];
}
