/**
 * Runs a plan. `pc` is what decided that the present statement runs: the tests and lists around it,
 * and every test before it that could have left the loop or the plan. Where a branch or loop ends,
 * all that it could have written rises by what decided it, the arm that was not taken included; so
 * nothing is learnt from what did not happen.
 */
import { bottom, fromUser, join, joinAll, type Label, labelOf } from "../security/label.ts";
import { type Labelled, wholeLabel } from "../security/labelled.ts";
import { Budget, LimitReached } from "./budget.ts";
import { type Cell, failure, fromCell, opened, raised, scalar, toCell, wholeOf } from "./cell.ts";
import { evaluate, type Machine } from "./evaluate.ts";
import type { PlanHost, PlanLimits, PlanOutcome, PlanResult, PlanStart } from "./host.ts";
import type { Place, Plan, Statement } from "./plan.ts";
import { type AnswerType, capacity, isAnswer, type TypedQuestion } from "./question.ts";
import { truthy } from "./scalars.ts";

type Kind = Statement["kind"];
type Of<K extends Kind> = Extract<Statement, { readonly kind: K }>;

/** Joined by each test that could have left: `left` is part of pc until the loop or plan ends. */
interface Exit {
  left: Label;
}

interface Frame {
  /** Of the tests and lists around. */
  readonly pc: Label;
  readonly loop: Exit;
}

interface Run extends Machine {
  readonly host: PlanHost;
  readonly id: string;
  readonly whole: Exit;
  /** Of all values that the plan has met, and of what decided that it runs. */
  seen: Label;
  value: Cell;
}

type Ending = "next" | "break" | "continue" | "return";

/** @throws only what the host throws */
export async function runPlan(
  plan: Plan,
  host: PlanHost,
  limits: Partial<PlanLimits> = {},
  start: PlanStart = {},
): Promise<PlanResult> {
  const pc = start.pc ?? bottom;
  const run = createRun(plan, host, new Budget(limits), start);
  const frame: Frame = { pc, loop: { left: bottom } };
  try {
    for (const [name, input] of start.inputs ?? []) admit(run, plan.names.get(name), input);
    await runBlock(plan.body, run, frame);
    const end = pcOf(run, frame);
    const out = (cell: Cell): Labelled => fromCell(raised(cell, end), run.budget);
    // All of them: which of them the plan came to is a matter of pc too.
    const variables = new Map(
      [...plan.names].map(([name, slot]) => [name, out(run.store[slot] ?? nothing)]),
    );
    const { spent } = run.budget;
    return { status: "returned", value: out(run.value), variables, pc: end, spent };
  } catch (error) {
    if (!(error instanceof LimitReached)) throw error;
    return stopped(run, error.limit);
  }
}

function createRun(plan: Plan, host: PlanHost, budget: Budget, start: PlanStart): Run {
  const literals = start.literals ?? fromUser;
  return {
    ...{ host, budget, literals, store: new Array<Cell>(plan.slots), id: start.id ?? "plan" },
    ...{ whole: { left: bottom }, seen: start.pc ?? bottom, value: scalar(undefined, bottom) },
  };
}

/** That a limit was reached may tell of everything that the plan has met. */
function stopped({ budget, seen }: Run, limit: keyof PlanLimits): PlanResult {
  const { spent, limits } = budget;
  const message = `plan: a plan may spend ${limits[limit]} ${limit}, and would spend more`;
  return { status: "stopped", error: { code: limit, message }, label: seen, pc: seen, spent };
}

function pcOf(run: Run, { pc, loop }: Frame): Label {
  return join(join(pc, run.whole.left), loop.left);
}

function admit(run: Run, slot: number | undefined, input: Labelled): void {
  if (slot === undefined) return;
  run.store[slot] = meet(run, toCell(input, run.budget));
}

async function runBlock(block: readonly Statement[], run: Run, frame: Frame): Promise<Ending> {
  for (const statement of block) {
    run.budget.step(1);
    const execute = statements[statement.kind] as Execute<Kind>;
    const ending = await execute(statement as never, run, frame);
    if (ending !== undefined && ending !== "next") return ending;
  }
  return "next";
}

type Execute<K extends Kind> = (
  statement: Of<K>,
  run: Run,
  frame: Frame,
) => Promise<Ending> | Ending | Promise<void> | void;

const statements: { readonly [K in Kind]: Execute<K> } = {
  assign: ({ slot, value }, run) => {
    run.store[slot] = evaluate(value, run);
  },
  call: runCall,
  ask: runAsk,
  if: runIf,
  for: runFor,
  return: ({ value }, run) => {
    run.value = evaluate(value, run);
    return "return";
  },
  break: () => "break",
  continue: () => "continue",
};

async function runIf(statement: Of<"if">, run: Run, frame: Frame): Promise<Ending> {
  const test = evaluate(statement.test, run);
  const arm = truthy(test) ? statement.then : statement.otherwise;
  const inner = { pc: join(frame.pc, test.label), loop: frame.loop };
  const ending = await runBlock(arm, run, inner);
  const { writes, breaks, returns } = statement.region;
  raiseAll(run, writes, test.label);
  if (breaks) frame.loop.left = join(frame.loop.left, test.label);
  if (returns) run.whole.left = join(run.whole.left, test.label);
  return ending;
}

/** What is no list has no elements: whether it is one is told by the label of the loop. */
async function runFor(statement: Of<"for">, run: Run, frame: Frame): Promise<Ending> {
  const list = evaluate(statement.list, run);
  const pc = join(join(frame.pc, frame.loop.left), list.label);
  const inner: Frame = { pc, loop: { left: bottom } };
  let ending: Ending = "next";
  for (const item of list.kind === "list" ? list.items : []) {
    run.store[statement.slot] = item;
    ending = await runBlock(statement.body, run, inner);
    if (ending === "break" || ending === "return") break;
  }
  const label = join(list.label, inner.loop.left);
  raiseAll(run, statement.region.writes, label);
  if (statement.region.returns) run.whole.left = join(run.whole.left, label);
  return ending === "return" ? "return" : "next";
}

async function runCall({ slot, name, args }: Of<"call">, run: Run, frame: Frame): Promise<void> {
  const cell = evaluate(args, run);
  const pc = pcOf(run, frame);
  run.budget.call();
  const outcome = await run.host.call(name, fromCell(cell, run.budget), pc);
  const chosenBy = join(pc, wholeOf(cell, run.budget));
  run.store[slot] = meet(run, raised(received(outcome, run.budget), chosenBy));
}

function received(outcome: PlanOutcome, budget: Budget): Cell {
  if (outcome.status === "ok") return toCell(outcome.value, budget);
  const label = opened(wholeLabel(outcome.labels));
  if (outcome.status === "unknown") return failure("UNKNOWN", UNKNOWN, label);
  const { code, message, detail } = outcome.error;
  const said = detail === undefined ? undefined : { value: detail, labels: outcome.labels };
  return failure(code, message, label, said && toCell(said, budget));
}

const nothing: Cell = scalar(undefined, bottom);

const UNKNOWN = "call: it may have happened, and nobody knows. A person has been asked.";

/** Notes that the plan has met a value. */
function meet(run: Run, cell: Cell): Cell {
  run.seen = join(run.seen, wholeOf(cell, run.budget));
  return cell;
}

/**
 * The answer could be chosen by whoever wrote what the model read, but within its type only: its
 * influence is its capacity, whatever the influence of what was read. All failures look the same.
 */
async function runAsk(statement: Of<"ask">, run: Run, frame: Frame): Promise<void> {
  const pc = pcOf(run, frame);
  const { budget } = run;
  const text = evaluate(statement.text, run);
  const about = evaluate(statement.about, run);
  const choices = statement.choices === undefined ? undefined : evaluate(statement.choices, run);
  const asked = [text, about, ...(choices === undefined ? [] : [choices])];
  budget.call();
  const type = typeOf(statement.type, choices);
  const question = {
    ...{ id: `${run.id}/${budget.spent.calls}`, type },
    ...{ text: fromCell(text, budget), about: fromCell(about, budget) },
    ...(choices === undefined ? {} : { choices: fromCell(choices, budget) }),
  };
  const reply = received(await run.host.ask(question, pc), budget);
  const shapedBy = joinAll([...asked, reply].map((cell) => wholeOf(cell, budget)));
  const label = join(bounded(shapedBy, question), pc);
  run.store[statement.slot] = meet(run, raised(answer(type, reply, choices, statement), label));
}

/** How many choices there are is told by the label of their list. */
function typeOf(type: AnswerType, choices: Cell | undefined): AnswerType {
  if (type.kind !== "ref") return type;
  return { kind: "ref", count: choices?.kind === "list" ? choices.items.length : 0 };
}

function bounded(shapedBy: Label, { id, type }: TypedQuestion): Label {
  return { ...join(shapedBy, labelOf("model:q")), influence: new Map([[id, capacity(type)]]) };
}

function answer(
  type: AnswerType,
  reply: Cell,
  choices: Cell | undefined,
  { line, column }: Place,
): Cell {
  const value = reply.kind === "scalar" ? reply.value : undefined;
  const given = value !== undefined && isAnswer(type, value);
  const none = failure(
    "ANSWER",
    `plan ${line}:${column}: no answer of the question's type`,
    bottom,
  );
  if (choices === undefined) return given ? scalar(value, bottom) : none;
  const chosen = given && choices.kind === "list" ? choices.items[Number(value)] : undefined;
  return raised(chosen ?? none, choices.label);
}

function raiseAll(run: Run, slots: Iterable<number>, label: Label): void {
  for (const slot of slots) {
    const cell = run.store[slot];
    if (cell !== undefined) run.store[slot] = raised(cell, label);
  }
}
