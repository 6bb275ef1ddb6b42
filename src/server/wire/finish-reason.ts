/** Why a text ended, in chat's and completions' words. */
import type { FinishReason } from "../../llm/inference/engine.ts";

export type WireFinishReason = "stop" | "length" | "tool_calls" | "content_filter";

/** Nobody reads the end of what was aborted. */
export const finishReasons: Readonly<Record<FinishReason, WireFinishReason>> = {
  stop: "stop",
  length: "length",
  "tool-calls": "tool_calls",
  "content-filter": "content_filter",
  aborted: "stop",
};
