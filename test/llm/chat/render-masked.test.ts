/** What is learned, marked for people. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { renderMaskCounts, renderMasked } from "../../../src/llm/chat/render-masked.ts";
import { renderConversation } from "../../../src/llm/chat/template.ts";
import { chatTokenizer } from "./tokenizer.ts";

const rendered = renderConversation(
  {
    messages: [
      { role: "user", content: "日?\n\x1b[2J" },
      { role: "assistant", content: "é", toolCalls: [{ name: "clock", arguments: "{}" }] },
      { role: "tool", content: "9" },
      { role: "assistant", content: "9", train: false },
    ],
  },
  chatTokenizer,
);

test("without colour: learned runs between brackets, a message a line, controls escaped", () => {
  assert.equal(
    renderMasked(rendered, chatTokenizer, false),
    [
      "<|bos|>",
      "<|user_start|>日?",
      "\\u{1b}[2J<|user_end|>",
      "<|assistant_start|>⟦é<|call_start|>clock {}<|call_end|><|assistant_end|>⟧",
      "<|tool_start|>9<|tool_end|>",
      "<|assistant_start|>9<|assistant_end|>",
      "",
    ].join("\n"),
  );
});

test("in colour: learned text green, marks dim, the same text", () => {
  const shown = renderMasked(rendered, chatTokenizer, true);
  assert.ok(shown.includes("\x1b[32mé\x1b[0m\x1b[2m\x1b[32m<|call_start|>\x1b[0m"));
  assert.ok(shown.includes("\x1b[2m<|user_start|>\x1b[0m日?\n\\u{1b}[2J\x1b[2m<|user_end|>"));
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the colours that were added
  const plain = shown.replace(/\x1b\[\d+m/g, "");
  assert.equal(plain, renderMasked(rendered, chatTokenizer, false).replace(/[⟦⟧]/g, ""));
});

test("how much of it is learned", () => {
  assert.equal(renderMaskCounts(rendered), "26 tokens, 7 learned");
});
