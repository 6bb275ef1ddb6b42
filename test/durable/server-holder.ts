/**
 * A process that uses a cluster until it is killed: `server-holder.ts DIR [rest]`. Prints a line
 * of JSON when it has the server, `{"pid", "url"}`.
 */
import { startPostgres } from "../../src/durable/postgres.ts";

const [dir = ""] = process.argv.slice(2);
const { pid, url } = await startPostgres({ dir, durable: false, url: undefined });
console.log(JSON.stringify({ pid, url }));
setInterval(() => {}, 1 << 30);
