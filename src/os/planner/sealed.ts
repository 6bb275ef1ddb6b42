/**
 * Mode "sealed": the planner sees the goal and what calls there are, and writes one plan in the plan
 * language; nothing that the plan then meets comes back to it. A plan that cannot be read, or that
 * reached a limit under trusted control alone, is shown to it with the error, to be written again;
 * calls that a plan before had made are not made twice, but answered as they were; what failed for
 * certain may be tried again.
 */
import { NutshellError } from "../../error.ts";
import type { Message } from "../../llm/chat/conversation.ts";
import type { PlanHost, PlanOutcome, PlanResult } from "../plan/host.ts";
import { parsePlan } from "../plan/parse.ts";
import { runPlan } from "../plan/run.ts";
import { digest } from "../security/canonical.ts";
import { isTrusted, join, joinAll, type Label, labelOf } from "../security/label.ts";
import { type Labelled, partLabels, raise } from "../security/labelled.ts";
import { type AgentScene, generate, isLasting } from "./agent-scene.ts";
import { createPlanHost } from "./plan-host.ts";
import { renderLanguage } from "./plan-language.ts";

/** @throws NutshellError PLAN when no plan came to its end */
export async function runSealed(scene: AgentScene): Promise<Labelled> {
  const { sys, input, rows } = scene;
  const own = input.instructions.filter(({ label }) => isTrusted(label));
  const seen = joinAll([input.goalLabel, ...own.map(({ label }) => label)]);
  const system = [...own.map(({ text }) => text), renderLanguage(rows)].join("\n\n");
  const messages: Message[] = [
    { role: "system", content: system },
    { role: "user", content: input.goal },
  ];
  const host = onceOnly(underOwnName(createPlanHost(sys), scene));
  let fault = "none was written";
  for (let attempt = 0; attempt <= input.limits.rewrites; attempt++) {
    const { content } = (await generate(scene, messages, [], seen)).message;
    const result = await tryPlan(content, scene, host.start(), attempt);
    if (typeof result !== "string" && result.status === "returned") {
      const { value, labels } = result.value;
      return { value, labels: { ...labels, label: join(labels.label, seen) } };
    }
    if (typeof result !== "string" && !isTrusted(result.label)) throw stopped();
    fault = typeof result === "string" ? result : result.error.message;
    messages.push({ role: "assistant", content });
    messages.push({ role: "user", content: `${fault} Write the whole plan again.` });
  }
  throw new NutshellError("PLAN", `${fault.replace(/\.$/, "")}. The last of all attempts failed.`);
}

/** @returns what is wrong with the text, which is the planner's own, or how it ended */
async function tryPlan(
  text: string,
  { sys, input, rows }: AgentScene,
  host: PlanHost,
  attempt: number,
): Promise<PlanResult | string> {
  try {
    const plan = parsePlan(codeOf(text), { calls: new Set(rows.map(({ name }) => name)) });
    const start = { literals: input.goalLabel, pc: input.goalLabel };
    return await runPlan(plan, host, {}, { id: `sealed:${sys.pid}/${attempt}`, ...start });
  } catch (error) {
    if (error instanceof NutshellError && error.code === "PLAN") return error.message;
    throw error;
  }
}

/** What stands between fences, else all of it. */
function codeOf(text: string): string {
  return /```(?:ts|typescript)?[ \t]*\r?\n([\s\S]*?)```/.exec(text)?.[1] ?? text;
}

/**
 * The planner may be hostile from its first token: what leaves the machine, or cannot be undone,
 * says that a model chose it and decided it. An address must be one that the user typed, and a
 * person sees what cannot be undone; what stays within reach asks nobody.
 */
function underOwnName(host: PlanHost, { rows, model }: AgentScene): PlanHost {
  const own = labelOf(`model:${model}`);
  const lasting = new Set(rows.filter(isLasting).map(({ name }) => name));
  return {
    ...host,
    call: (name, args, pc) =>
      lasting.has(name)
        ? host.call(name, raiseEach(args, own), join(pc, own))
        : host.call(name, args, pc),
  };
}

/** Every argument's label, not that of which there are. */
function raiseEach({ value, labels }: Labelled, label: Label): Labelled {
  const names = typeof value === "object" && value !== null ? Object.keys(value) : [];
  const parts = names.map((name) => [name, raise(partLabels(labels, name), label)] as const);
  return { value, labels: { label: labels.label, parts: new Map(parts) } };
}

interface Attempts {
  /** A host for one more attempt: the n-th call alike is answered as the n-th one before it. */
  start(): PlanHost;
}

function onceOnly(host: PlanHost): Attempts {
  const made = new Map<string, PlanOutcome>();
  return {
    start: () => {
      const counts = new Map<string, number>();
      return {
        ask: (question, pc) => host.ask(question, pc),
        call: async (name, args, pc) => {
          const call = `${name} ${digest(args.value)}`;
          const nth = (counts.get(call) ?? 0) + 1;
          counts.set(call, nth);
          const known = made.get(`${call} ${nth}`);
          if (known !== undefined) return known;
          const outcome = await host.call(name, args, pc);
          if (outcome.status !== "error") made.set(`${call} ${nth}`, outcome);
          return outcome;
        },
      };
    },
  };
}

/** How it stopped may be the words of whoever wrote what it read. */
function stopped(): NutshellError {
  return new NutshellError(
    "PLAN",
    "plan: it must end within its limits, and did not; what it had read decided that, so that its " +
      "planner cannot be told. Ask for less at once.",
  );
}
