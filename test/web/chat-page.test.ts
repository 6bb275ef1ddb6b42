/**
 * The chat page in a real browser before a real server. A scripted engine gives the replies whose
 * course matters here (slow ones to stop, hostile ones to escape, calls to run); test/server and
 * test/cli show the server before a real model.
 */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { after, before, type TestContext, test } from "node:test";
import { type Browser, chromium, type Page } from "playwright-core";
import type { Script } from "../../src/llm/engines/script.ts";
import { serveScript } from "../server/scripted-server.ts";

const CHROMIUM = "/usr/bin/chromium";
const skip = existsSync(CHROMIUM) ? false : "needs Debian's chromium: apt-get install chromium";

let browser: Browser | undefined;
before(async () => {
  if (skip !== false) return;
  const args = ["--no-sandbox", "--disable-background-networking"];
  browser = await chromium.launch({ executablePath: CHROMIUM, args });
});
after(() => browser?.close());

interface Opened {
  readonly page: Page;
  /** Whatever the page asked of anyone but its server, or complained about. */
  readonly complaints: string[];
  ask(question: string): Promise<void>;
  reply(at?: number): ReturnType<Page["locator"]>;
}

async function openPage(t: TestContext, script: Script): Promise<Opened> {
  const server = await serveScript(t, { script });
  const page = await (browser as Browser).newPage();
  t.after(() => page.close());
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("console", (message) => {
    if (message.type() === "error") complaints.push(message.text());
  });
  page.on("request", (request) => {
    if (!request.url().startsWith(server.url)) complaints.push(request.url());
  });
  page.on("dialog", (dialog) => {
    complaints.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  await page.goto(server.url);
  const ask = async (question: string): Promise<void> => {
    await page.fill("#question", question);
    await page.press("#question", "Enter");
  };
  const reply = (at = -1) => page.locator(".exchange").nth(at).locator(".reply");
  return { page, complaints, ask, reply };
}

test("a reply streams in, is followed by its speed, and is asked anew", { skip }, async (t) => {
  let count = 0;
  const opened = await openPage(t, () => `reply number ${++count}, naïve 🙂`);
  const { page, ask, reply, complaints } = opened;
  assert.equal(await page.locator("#model").inputValue(), "scripted");
  await ask("Hello?");
  await reply().getByText("reply number 1, naïve 🙂").waitFor();
  await reply()
    .getByText(/\d+ tokens, \d+ tokens\/s/)
    .waitFor();
  await page.getByRole("button", { name: "Regenerate" }).click();
  await reply().getByText("reply number 2").waitFor();
  assert.equal(await page.locator(".exchange").count(), 1);
  assert.deepEqual(complaints, []);
});

test("a reply that is stopped stays as far as it came, and the chat goes on", {
  skip,
}, async (t) => {
  const slow = ["one ", { waitMs: 30_000 }, "two"];
  const { page, ask, reply, complaints } = await openPage(t, ({ messages }) =>
    messages.length === 1 ? slow : `after ${messages.length} messages`,
  );
  await ask("Count.");
  await reply().getByText("one").waitFor();
  await page.getByRole("button", { name: "Stop" }).click();
  await reply().getByText("stopped").waitFor();
  assert.equal(await reply().getByText("two").count(), 0);
  await ask("And?");
  await reply().getByText("after 3 messages").waitFor();
  assert.deepEqual(complaints, []);
});

test("a new chat during a reply forgets it, and the next one works", { skip }, async (t) => {
  const { page, ask, reply, complaints } = await openPage(t, ({ messages }) =>
    messages[0]?.content === "first" ? ["one ", { waitMs: 30_000 }, "two"] : "fresh",
  );
  await ask("first");
  await reply().getByText("one").waitFor();
  await page.getByRole("button", { name: "New chat" }).click();
  assert.equal(await page.locator(".exchange").count(), 0);
  await ask("second");
  await reply().getByText("fresh").waitFor();
  await reply().getByRole("button", { name: "Regenerate" }).waitFor();
  assert.equal(await page.locator(".exchange").count(), 1);
  assert.deepEqual(complaints, []);
});

test("an edited question takes the place of itself and all that followed", { skip }, async (t) => {
  const { page, ask, reply } = await openPage(t, ({ messages }) =>
    messages.map(({ content }) => content).join(" / "),
  );
  for (const question of ["first", "second"]) {
    await ask(question);
    await reply().getByRole("button", { name: "Regenerate" }).waitFor();
  }
  await page.getByRole("button", { name: "Edit" }).first().click();
  await page.getByLabel("Edited question").fill("other");
  await page.locator(".send-edit").click();
  await reply().getByText("other", { exact: true }).waitFor();
  assert.equal(await page.locator(".exchange").count(), 1);
});

test("system prompt and dials reach the model; what is off is not sent", { skip }, async (t) => {
  let sampling: unknown;
  const { page, ask, reply } = await openPage(t, ({ messages, options }) => {
    sampling = options.sampling;
    assert.equal(options.maxTokens, 256);
    return messages[0]?.role === "system" ? messages[0].content : "no system";
  });
  await page.fill("#system", "Be brief.");
  await page.locator("#dial-temperature").fill("1.5");
  await page.locator("#dial-min_p").fill("0.1");
  await ask("Hi");
  await reply().getByText("Be brief.").waitFor();
  assert.deepEqual(sampling, { temperature: 1.5, minP: 0.1 });
});

test("calls are run by the page and their results sent back", { skip }, async (t) => {
  const { ask, reply, complaints } = await openPage(t, ({ messages }) => {
    const last = messages.at(-1);
    if (last?.role === "tool") return `It is ${last.content}.`;
    return [{ call: { name: "calculator", arguments: '{"expression":"24*78"}' } }];
  });
  await ask("What is 24 * 78?");
  await reply().getByText("→ calculator").waitFor();
  await reply().getByText("← 1872").waitFor();
  await reply().getByText("It is 1872.").waitFor();
  assert.deepEqual(complaints, []);
});

test("pointing at a token shows what else could have stood there", { skip }, async (t) => {
  const likely = { text: "yes", logprob: Math.log(0.75) };
  const { page, ask, reply, complaints } = await openPage(t, () => [likely]);
  await page.check("#tokens");
  await ask("Well?");
  await reply().getByRole("button", { name: "Regenerate" }).waitFor();
  const token = reply().locator(".token").first();
  await token.hover();
  const row = token.locator(".row.chosen");
  await row.waitFor();
  assert.match((await row.textContent()) ?? "", /^y75\.0 %$/);
  assert.deepEqual(complaints, []);
});

test("nothing that a model or a person writes becomes markup or leaves the page", {
  skip,
}, async (t) => {
  const hostile =
    '<img src="http://127.0.0.1:9/x" onerror="alert(1)"><script>alert(2)</script>' +
    "![x](http://127.0.0.1:9/y) <a href='javascript:alert(3)'>z</a>";
  const { page, ask, reply, complaints } = await openPage(t, () => hostile);
  await ask(hostile);
  await reply().getByRole("button", { name: "Regenerate" }).waitFor();
  assert.equal(await reply().locator("p").first().textContent(), hostile);
  assert.equal(await page.locator("#log img, #log script, #log a").count(), 0);
  // Even markup that came in past the page could do nothing.
  const markup = JSON.stringify(hostile);
  await page.evaluate(`document.body.insertAdjacentHTML("beforeend", ${markup})`);
  await page.waitForTimeout(100);
  const blocked = complaints.filter((line) => line.includes("Content Security Policy"));
  assert.ok(blocked.length > 0);
  assert.ok(complaints.every((line) => !line.startsWith("dialog")));
});

test("what the server refuses is said in its words", { skip }, async (t) => {
  const { page, ask, reply } = await openPage(t, () => {
    throw new Error("broken on purpose");
  });
  await ask("Hi");
  await reply().locator(".note").waitFor();
  const note = await reply().locator(".note").textContent();
  assert.match(note ?? "", /^The server failed; its log has more/);
  assert.equal(await page.locator("#send").isEnabled(), true);
});
