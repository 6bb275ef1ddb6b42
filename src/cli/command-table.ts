/** Every command and where it lives; a command loads only when it is named. */
import type { Command } from "./command.ts";

export const commands: Readonly<Record<string, () => Promise<{ readonly command: Command }>>> = {
  chat: () => import("./commands/chat.ts"),
  complete: () => import("./commands/complete.ts"),
  data: () => import("./commands/data.ts"),
  eval: () => import("./commands/eval.ts"),
  explain: () => import("./commands/explain.ts"),
  export: () => import("./commands/export.ts"),
  grow: () => import("./commands/grow.ts"),
  import: () => import("./commands/import.ts"),
  plan: () => import("./commands/plan.ts"),
  pretrain: () => import("./commands/pretrain.ts"),
  rank: () => import("./commands/rank.ts"),
  reward: () => import("./commands/reward.ts"),
  rl: () => import("./commands/rl.ts"),
  serve: () => import("./commands/serve.ts"),
  sft: () => import("./commands/sft.ts"),
  tokenizer: () => import("./commands/tokenizer.ts"),
};
