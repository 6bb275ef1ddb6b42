/**
 * A process that prepares a folder and kills itself, as power would: at the n-th document, or when
 * all shards are made and the manifest is not. Arguments: folder, JSON of the sources, n or "shards".
 */
import { prepareTexts, type Texts } from "./made-up.ts";

const [folder = "", sources = "[]", when = "never"] = process.argv.slice(2);
let documents = 0;
const die = (): void => void process.kill(process.pid, "SIGKILL");

await prepareTexts(folder, JSON.parse(sources) as Texts[], {
  onDocument: () => {
    if (String(++documents) === when) die();
  },
  onShards: () => {
    if (when === "shards") die();
  },
});
