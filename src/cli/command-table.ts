/** Every command and where it lives; a command loads only when it is named. */
import type { Command } from "./command.ts";

type CommandRows = Readonly<Record<string, () => Promise<{ readonly command: Command }>>>;

const making: CommandRows = {
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

const running: CommandRows = {
  approve: () => import("./commands/approve.ts"),
  boot: () => import("./commands/boot.ts"),
  cron: () => import("./commands/cron.ts"),
  doctor: () => import("./commands/doctor.ts"),
  fork: () => import("./commands/fork.ts"),
  grant: () => import("./commands/grant.ts"),
  kill: () => import("./commands/kill.ts"),
  log: () => import("./commands/log.ts"),
  mem: () => import("./commands/mem.ts"),
  nice: () => import("./commands/nice.ts"),
  pause: () => import("./commands/pause.ts"),
  ps: () => import("./commands/ps.ts"),
  resume: () => import("./commands/resume.ts"),
  revoke: () => import("./commands/revoke.ts"),
  run: () => import("./commands/run.ts"),
  sh: () => import("./commands/sh.ts"),
  shutdown: () => import("./commands/shutdown.ts"),
  signal: () => import("./commands/signal.ts"),
  strace: () => import("./commands/strace.ts"),
  top: () => import("./commands/top.ts"),
  wait: () => import("./commands/wait.ts"),
  why: () => import("./commands/why.ts"),
};

export const commands: CommandRows = { ...making, ...running };

/** As the overview shows them. */
export const commandGroups: readonly (readonly [title: string, rows: CommandRows])[] = [
  ["How a model is made", making],
  ["The operating system", running],
];
