/**
 * Names of tools as the plan language can write them: a plain word stays, anything else (a dash, a
 * letter of another script, a prototype's name) is spelt out in hex, and can be read back.
 */
const SPELT = "hex_";
const plain = /^(?!hex_|constructor$|prototype$|toString$|valueOf$)[A-Za-z][A-Za-z0-9_]*$/;

export function toPlanName(tool: string): string {
  const name = plain.test(tool) ? tool : SPELT + Buffer.from(tool, "utf8").toString("hex");
  return `tools.${name}`;
}

export function fromPlanName(name: string): string {
  const word = name.replace(/^tools\./, "");
  if (!word.startsWith(SPELT)) return word;
  return Buffer.from(word.slice(SPELT.length), "hex").toString("utf8");
}
