/** Where an installed package lies, and under which licence. */

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname } from "node:path";
import { NutshellError } from "../../../error.ts";

const require = createRequire(import.meta.url);

/** @throws DATA when the package is not installed */
export function packageFolder(name: string): string {
  try {
    return dirname(require.resolve(`${name}/package.json`));
  } catch (cause) {
    throw new NutshellError(
      "DATA",
      `built-in mixture: the package ${name} must be installed, got none. Run npm ci.`,
      { cause },
    );
  }
}

/** The licence that a package folder declares, "" when it declares none. */
export function packageLicence(folder: string): string {
  const { license } = JSON.parse(readFileSync(`${folder}/package.json`, "utf8"));
  return typeof license === "string" ? license : "";
}

/** @throws DATA when the package is not installed */
export function packageVersion(name: string): string {
  const { version } = JSON.parse(readFileSync(`${packageFolder(name)}/package.json`, "utf8"));
  return `${name}@${version}`;
}
