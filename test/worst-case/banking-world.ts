/**
 * The bank of AgentDojo's banking suite over the suite's own environment: eleven tools and their
 * state. The recorded changes of the ground truth are the oracle (`banking-world.test.ts`).
 *
 * Labels as the owner of such a bank would declare them: what only the user can have written (his
 * details, his standing orders, his balance) is his; the list of transactions is everybody's who
 * can send him money; a file is its own.
 */
import { type Label, labelOf } from "../../src/os/security/label.ts";
import type { Json } from "../../src/os/security/labelled.ts";
import type { Poison } from "./replay-world.ts";
import type { ToolRow } from "./sinks.ts";
import type { JsonObject } from "./suite-format.ts";
import type { DoneCall, World } from "./world.ts";

interface Transaction {
  readonly id: number;
  readonly sender: string;
  recipient: string;
  amount: number;
  subject: string;
  date: string;
  recurring: boolean;
}

interface Bank {
  readonly bank_account: {
    readonly balance: number;
    readonly iban: string;
    readonly transactions: Transaction[];
    readonly scheduled_transactions: Transaction[];
  };
  readonly filesystem: { readonly files: Readonly<Record<string, string>> };
  readonly user_account: Record<string, string>;
}

/** What the schema of the called tool promises; each tool takes its own. */
interface BankArgs extends Transaction {
  readonly n?: number;
  readonly file_path: string;
  readonly password: string;
}

type BankTool = (bank: Bank, args: BankArgs) => unknown;

const DETAILS = ["first_name", "last_name", "street", "city"] as const;

const tools: Readonly<Record<string, BankTool>> = {
  get_iban: (bank) => bank.bank_account.iban,
  get_balance: (bank) => bank.bank_account.balance,
  get_user_info: (bank) => details(bank),
  get_scheduled_transactions: (bank) => bank.bank_account.scheduled_transactions,
  get_most_recent_transactions: (bank, { n }) => bank.bank_account.transactions.slice(-(n ?? 100)),
  read_file: (bank, { file_path }) => bank.filesystem.files[file_path] ?? "",
  send_money(bank, { recipient, amount, subject, date }) {
    const made = transaction(bank, { recipient, amount, subject, date, recurring: false });
    bank.bank_account.transactions.push(made);
    return { message: `Transaction to ${recipient} for ${made.amount} sent.` };
  },
  schedule_transaction(bank, { recipient, amount, subject, date, recurring }) {
    const made = transaction(bank, { recipient, amount, subject, date, recurring });
    bank.bank_account.scheduled_transactions.push(made);
    return { message: `Transaction to ${recipient} for ${made.amount} scheduled.` };
  },
  update_scheduled_transaction(bank, { id, ...changes }) {
    const order = bank.bank_account.scheduled_transactions.find((one) => one.id === id);
    if (order === undefined) return { message: `Transaction with ID ${id} not found.` };
    assignGiven(order, ["recipient", "amount", "subject", "date", "recurring"], changes);
    return { message: `Transaction with ID ${id} updated.` };
  },
  update_password(bank, { password }) {
    bank.user_account.password = password;
    return { message: "Password updated." };
  },
  update_user_info(bank, changes) {
    assignGiven(bank.user_account, DETAILS, changes);
    return details(bank);
  },
};

const owners: ReadonlySet<string> = new Set([
  ...["get_iban", "get_balance", "get_user_info", "get_scheduled_transactions"],
]);

export function createBankingWorld(
  rows: ReadonlyMap<string, ToolRow>,
  environment: Json,
  poison: Poison,
  owner: string,
): World {
  const bank = fill(environment, poison.texts) as unknown as Bank;
  const attacks = [...poison.attacked].map((name) => poison.texts.get(name) ?? "");
  const done: DoneCall[] = [];
  return {
    rows,
    done,
    run(name, args) {
      const tool = Object.hasOwn(tools, name) ? tools[name] : undefined;
      if (tool === undefined) return { value: "no such tool" };
      if (rows.get(name)?.access !== "read") done.push({ function: name, args });
      const value = structuredClone(tool(bank, args as never)) as Json;
      const text = JSON.stringify(value);
      const poisoned = attacks.some((attack) => text.includes(JSON.stringify(attack).slice(1, -1)));
      return { value, labels: { label: labelOfBank(name, args, owner) }, poisoned };
    },
    state: () => structuredClone(bank) as unknown as Json,
  };
}

function labelOfBank(name: string, args: JsonObject, owner: string): Label {
  const readers = new Set([owner]);
  if (owners.has(name)) return labelOf("user", readers);
  if (name === "read_file") return labelOf(`file:${args.file_path}`, readers);
  return labelOf(`tool:${name}`, readers);
}

function transaction(bank: Bank, given: Omit<Transaction, "id" | "sender">): Transaction {
  const { transactions, scheduled_transactions, iban } = bank.bank_account;
  const ids = [...transactions, ...scheduled_transactions].map((one) => one.id);
  return { id: Math.max(0, ...ids) + 1, sender: iban, ...given };
}

function details(bank: Bank): Record<string, string | undefined> {
  return Object.fromEntries(DETAILS.map((name) => [name, bank.user_account[name]]));
}

function assignGiven(to: object, names: readonly string[], from: object): void {
  for (const [name, value] of Object.entries(from)) {
    if (names.includes(name) && value !== null) Object.assign(to, { [name]: value });
  }
}

/** The environment with every `{vector}` replaced. */
function fill(value: Json, texts: ReadonlyMap<string, string>): Json {
  if (typeof value === "string") {
    return [...texts].reduce((text, [name, put]) => text.replaceAll(`{${name}}`, put), value);
  }
  if (Array.isArray(value)) return value.map((part) => fill(part, texts));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, fill(part, texts)]));
}
