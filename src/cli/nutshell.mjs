#!/usr/bin/env node
/** `nutshell` from any Node >= 18 and any folder: hands over to `main.ts` on Node 24. */
import { fileURLToPath } from "node:url";
import { setUpAndRun } from "../../setup.mjs";

const main = fileURLToPath(new URL("main.ts", import.meta.url));
process.exitCode = await setUpAndRun(["node", main, ...process.argv.slice(2)]);
