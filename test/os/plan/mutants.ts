/**
 * Mutants of the label system: one per join, raise, pc push, meet and write set, each left out or
 * turned round by an edit of the source text. A mutant is a copy of `security` and `plan` of
 * `src/os` with one edit, loaded beside the real one.
 */
import { cpSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parse } from "@babel/parser";
import type { Node } from "@babel/types";
import type { Language } from "./two-worlds.ts";

const root = join(import.meta.dirname, "../../..");
const folder = "src/os";

const files = [
  "security/label.ts",
  "security/labelled.ts",
  ...["cell", "evaluate", "scalars", "list-methods", "text-methods", "builtins", "run"].map(
    (name) => `plan/${name}.ts`,
  ),
  "plan/statements.ts",
];

export interface Mutant {
  readonly file: string;
  readonly line: number;
  readonly rule: string;
  /** What stands there, and what the mutant has instead. */
  readonly from: string;
  readonly to: string;
  readonly start: number;
  readonly end: number;
}

/** A label that tells nothing. */
const NOTHING = '({ integrity: new Set(), readers: "public", influence: new Map() } as never)';

interface Spot {
  readonly node: Node;
  readonly parent: Node | undefined;
  readonly text: (node: Node) => string;
  readonly file: string;
}

type Rule = (spot: Spot) => readonly (readonly [rule: string, to: string])[];

function callOf({ node, text }: Spot): readonly [name: string, ...args: string[]] {
  if (node.type !== "CallExpression" || node.callee.type !== "Identifier") return [""];
  return [node.callee.name, ...node.arguments.map(text)];
}

const intersection = (a: string, b: string): string =>
  `(new Set([...(${a})].filter((one) => (${b}).has(one as never))) as never)`;
const widened = (a: string, b: string): string =>
  `((${a}) === "public" || (${b}) === "public" ? "public" : new Set([...(${a}), ...(${b})]))`;

const containers: ReadonlySet<string> = new Set(["scalar", "text", "list", "record", "failure"]);

const rules: readonly Rule[] = [
  (spot) => {
    const [name, a = "", b = ""] = callOf(spot);
    if (name === "join")
      return [
        ["join: left side dropped", b],
        ["join: right side dropped", a],
      ];
    if (name === "union") {
      const both = [
        ["union: left dropped", b],
        ["union: right dropped", a],
      ] as const;
      return [...both, ["union: intersection", intersection(a, b)]];
    }
    if (name === "meet" && spot.file === "security/label.ts") {
      const both = [
        ["meet: left dropped", b],
        ["meet: right dropped", a],
      ] as const;
      return [...both, ["meet: union", widened(a, b)]];
    }
    if (name === "mergeMax")
      return [
        ["influence: left dropped", b],
        ["influence: right dropped", a],
      ];
    if (name === "joinAll") return [["joinAll: nothing", NOTHING]];
    if (name === "raised" || name === "raise") return [["raise dropped", `(${a})`]];
    if (name === "raiseAll") return [["raise of writes dropped", "undefined"]];
    if (name === "opened") return [["opening dropped", `(${a})`]];
    if (name === "labelsOf" || name === "wholeOf" || name === "wholeLabel")
      return [[`${name}: nothing`, NOTHING]];
    return [];
  },
  ({ node, parent, text, file }) => {
    if (file === "plan/statements.ts" || node.type !== "MemberExpression") return [];
    if (node.property.type !== "Identifier") return [];
    if (parent?.type === "AssignmentExpression" && parent.left === node) return [];
    if (text(node.object) === "expression") return [];
    const isLabel = ["label", "left", "pc", "literals"].includes(node.property.name);
    return isLabel ? [[`${text(node)}: nothing`, NOTHING]] : [];
  },
  // scalar(value, label), and the like: the label is left out.
  ({ node, parent, file }) => {
    if (node.type !== "Identifier" || node.name !== "label" || file === "plan/cell.ts") return [];
    if (parent?.type !== "CallExpression" || parent.callee.type !== "Identifier") return [];
    return containers.has(parent.callee.name) ? [["label of a new value dropped", NOTHING]] : [];
  },
  ({ node, file }) => {
    if (file !== "security/label.ts" || node.type !== "CallExpression") return [];
    if (node.callee.type !== "MemberExpression" || node.callee.property.type !== "Identifier")
      return [];
    return node.callee.property.name === "filter" ? [["meet: everybody", "[...a, ...b]"]] : [];
  },
  ({ node, text, file }) => {
    if (file !== "security/label.ts" || node.type !== "CallExpression") return [];
    return text(node.callee) === "Math.max"
      ? [["influence: the smaller", text(node).replace("max", "min")]]
      : [];
  },
  ({ node, text, file }) => {
    if (file !== "security/label.ts" || node.type !== "ReturnStatement" || !node.argument)
      return [];
    const swapped = { a: "return b;", b: "return a;" }[text(node.argument)];
    return swapped === undefined ? [] : [["shortcut: the other side", swapped]];
  },
  // The write set, and the ways out of a region.
  ({ node, text, file }) => {
    if (file !== "plan/statements.ts" || node.type !== "ExpressionStatement") return [];
    const isKept = /^(?:writes\.add|breaks \|\|=|returns \|\|=)/.test(text(node));
    return isKept ? [[`left out: ${text(node)}`, ";"]] : [];
  },
  ({ node, text, file }) => {
    if (file !== "plan/run.ts" || node.type !== "ObjectProperty") return [];
    return text(node.key) === "influence"
      ? [["capacity of an answer dropped", "influence: new Map()"]]
      : [];
  },
];

/** All mutants, in the order of the source. */
export function listMutants(): Mutant[] {
  return files.flatMap((file) => {
    const source = readFileSync(join(root, folder, file), "utf8");
    const tree = parse(source, { sourceType: "module", plugins: ["typescript"] });
    const found: Mutant[] = [];
    const text = (node: Node): string => source.slice(node.start ?? 0, node.end ?? 0);
    const visit = (node: Node, parent: Node | undefined): void => {
      for (const [rule, to] of rules.flatMap((apply) => apply({ node, parent, text, file }))) {
        const [start, end] = [node.start ?? 0, node.end ?? 0];
        found.push({
          file,
          line: node.loc?.start.line ?? 0,
          rule,
          from: text(node),
          to,
          start,
          end,
        });
      }
      for (const child of childrenOf(node)) visit(child, node);
    };
    visit(tree.program, undefined);
    return found;
  });
}

function childrenOf(node: Node): Node[] {
  if (node.type.startsWith("TS") || node.type === "ImportDeclaration") return [];
  return Object.values(node)
    .flat()
    .filter((value): value is Node => typeof (value as Node | null)?.type === "string")
    .filter(({ start }) => start !== undefined);
}

/** Copies the sources with one edit into `dir`, and loads them; without a mutant: as they are. */
export async function loadLanguage(dir: string, mutant?: Mutant): Promise<Language> {
  mkdirSync(join(dir, dirname(folder)), { recursive: true });
  writeFileSync(join(dir, "package.json"), '{ "type": "module" }');
  for (const part of ["security", "plan"])
    cpSync(join(root, folder, part), join(dir, folder, part), { recursive: true });
  cpSync(join(root, "src/error.ts"), join(dir, "src/error.ts"));
  symlinkSync(join(root, "node_modules"), join(dir, "node_modules"));
  if (mutant !== undefined) {
    const path = join(dir, folder, mutant.file);
    const source = readFileSync(path, "utf8");
    writeFileSync(path, source.slice(0, mutant.start) + mutant.to + source.slice(mutant.end));
  }
  const [{ partLabels }, { parsePlan }, { runPlan }] = await Promise.all([
    import(join(dir, folder, "security/labelled.ts")),
    import(join(dir, folder, "plan/parse.ts")),
    import(join(dir, folder, "plan/run.ts")),
  ]);
  rmSync(dir, { recursive: true });
  return { partLabels, parsePlan, runPlan };
}
