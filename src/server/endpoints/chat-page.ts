/** `GET /` and the files that the chat page needs: open, since it holds nothing but itself. */
import type { Endpoint } from "../endpoint.ts";
import { loadPage, type Page, pageHeaders } from "../page.ts";
import { Refusal } from "../wire/refusal.ts";

let loaded: Promise<Page> | undefined;

export const chatPage: Endpoint = {
  method: "GET",
  paths: ["/", "/page/:path{.+}"],
  open: true,
  async answer({ path }) {
    loaded ??= loadPage();
    const file = (await loaded).get(path.path === undefined ? "/" : `/page/${path.path}`);
    if (file === undefined)
      throw new Refusal(404, "The chat page has no such file.", { code: "not_found" });
    return { kind: "text", body: file.body, type: file.type, headers: pageHeaders };
  },
};
