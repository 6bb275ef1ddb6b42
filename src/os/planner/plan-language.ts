/** What a planner must know to write a plan: the language in few words, and its calls. */
import type { Syscall } from "../kernel/syscall.ts";

const LANGUAGE = `Write one plan that reaches the user's goal. Reply with nothing but the plan in a code block.
It is TypeScript without functions of its own, classes, loops but for…of, exceptions and regular
expressions. Calls are awaited, take one record and give their result: await files.read({ path: "a" }).
A call that failed gives a failure: ok(r) tells, r.error says why. You do not see what calls return;
to learn something from a text ask a model: await q(Bool, "Is it an invoice?", doc), with the types
Bool, Int(1, 9), Enum("a", "b"), Date, Ref(list) (an element of it) and Str(200) (a text, which
cannot steer an if). End with return and what the user is to see.`;

/** @param rows of the calls that the plan may make */
export function renderLanguage(rows: readonly Syscall[]): string {
  const shown = rows.filter(({ name }) => !name.startsWith("llm.") && name !== "memory.assemble");
  const calls = shown.map(({ name, doc, args }) => `${name}(${renderArgs(args)}) // ${doc}`);
  return [LANGUAGE, "Calls:", ...calls].join("\n");
}

interface Schema {
  readonly type?: unknown;
  readonly enum?: readonly unknown[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
}

/** `{ path: string, line?: number }` */
function renderArgs(schema: Schema): string {
  const required = new Set(schema.required);
  const fields = Object.entries(schema.properties ?? {}).map(
    ([name, part]) => `${name}${required.has(name) ? "" : "?"}: ${renderType(part)}`,
  );
  return fields.length === 0 ? "{}" : `{ ${fields.join(", ")} }`;
}

function renderType(schema: Schema): string {
  if (schema.enum !== undefined) return schema.enum.map((one) => JSON.stringify(one)).join(" | ");
  if (schema.type === "array") return `${renderType(schema.items ?? {})}[]`;
  if (schema.type === "object") return renderArgs(schema);
  if (schema.type === "integer") return "number";
  return typeof schema.type === "string" ? schema.type : "unknown";
}
