/**
 * A `SKILL.md`: front matter between two lines of `---`, then what to do in Markdown. The front
 * matter is the part of YAML that skills use: `key: text`, quoted or not, folded blocks (`>` and
 * `|`), and one level of keys below `metadata`. Keys of other programs are left alone.
 *
 * Format: https://agentskills.io/specification
 */
export interface SkillFile {
  readonly name: string;
  readonly description: string;
  readonly license?: string;
  readonly compatibility?: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly allowedTools: readonly string[];
  /** Read when it is needed, not before. */
  readonly body: string;
}

const NAME = /^(?!-)(?!.*--)[a-z0-9-]{1,64}(?<!-)$/;
const MAX_DESCRIPTION = 1024;
const MAX_COMPATIBILITY = 500;

/** @param folder the name of its folder, which must be the skill's. @returns or what is wrong */
export function readSkillFile(text: string, folder: string): SkillFile | { fault: string } {
  const [, front, body] =
    /^\ufeff?---\r?\n([\s\S]*?)\r?\n---[ \t]*(?:\r?\n([\s\S]*))?$/.exec(text) ?? [];
  if (front === undefined) return { fault: "must begin with front matter between lines of ---" };
  const fields = readFields(front);
  const [name, description] = [textAt(fields, "name"), textAt(fields, "description")];
  if (name === undefined || !NAME.test(name))
    return { fault: "name must be 1 to 64 of a-z, 0-9, -" };
  if (name !== folder) return { fault: "name must be the folder's" };
  if (description === undefined || description.length > MAX_DESCRIPTION)
    return { fault: `description must have 1 to ${MAX_DESCRIPTION} characters` };
  const [license, compatibility] = [textAt(fields, "license"), textAt(fields, "compatibility")];
  if ((compatibility ?? "").length > MAX_COMPATIBILITY)
    return { fault: `compatibility must have ${MAX_COMPATIBILITY} characters at most` };
  const metadata = fields.get("metadata");
  return {
    ...{ name, description, body: (body ?? "").trim() },
    ...(license === undefined ? {} : { license }),
    ...(compatibility === undefined ? {} : { compatibility }),
    metadata: metadata instanceof Map ? Object.fromEntries(metadata) : {},
    allowedTools: textAt(fields, "allowed-tools")?.split(/\s+/) ?? [],
  };
}

type Fields = Map<string, string | Map<string, string>>;

function textAt(fields: Fields, key: string): string | undefined {
  const value = fields.get(key);
  return typeof value === "string" && value !== "" ? value : undefined;
}

function readFields(front: string): Fields {
  const fields: Fields = new Map();
  const lines = front.split(/\r?\n/);
  for (let i = 0; i < lines.length; i++) {
    const [, key = "", value = ""] = /^([\w-]+):[ \t]*(.*)$/.exec(lines[i] ?? "") ?? [];
    if (key === "") continue;
    const below: string[] = [];
    while (/^[ \t]+\S|^\s*$/.test(lines[i + 1] ?? "x")) below.push((lines[++i] ?? "").trim());
    fields.set(key, readValue(value.trim(), below));
  }
  return fields;
}

/** @param below lines under the key, further in */
function readValue(value: string, below: readonly string[]): string | Map<string, string> {
  if (/^[>|][+-]?$/.test(value)) return below.join(value.startsWith("|") ? "\n" : " ").trim();
  if (value !== "") return unquote([value, ...below].join(" ").trim());
  const pairs = below.flatMap((line): [string, string][] => {
    const [, key, text] = /^([\w.-]+):[ \t]*(.*)$/.exec(line) ?? [];
    return key === undefined ? [] : [[key, unquote(text ?? "")]];
  });
  return pairs.length === 0 ? below.join(" ").trim() : new Map(pairs);
}

function unquote(text: string): string {
  const [, quote, inner] = /^(["'])([\s\S]*)\1$/.exec(text) ?? [];
  if (inner === undefined) return text.replace(/\s+#.*$/, "");
  return quote === "'" ? inner.replaceAll("''", "'") : inner.replaceAll(/\\(["\\])/g, "$1");
}
