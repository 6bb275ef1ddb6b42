/**
 * The known conversation sets of a data folder: a table of what each is, under which licence, and
 * its weight among the sets. Sets that are not there are left out.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Converted } from "./conversation-shapes.ts";
import { fromGsm8k, fromToolformer } from "./convert-calculator.ts";
import {
  fromIdentityTemplate,
  fromPlainTurns,
  fromServiceDialogue,
  fromTrivia,
} from "./convert-known-rows.ts";
import type { Row } from "./json-rows.node.ts";
import { readConversations } from "./read-conversations.node.ts";
import type { ConversationSource } from "./source.ts";

interface KnownSet {
  readonly name: string;
  /** Below the data folder. */
  readonly path: string;
  readonly licence: string;
  readonly card: string;
  readonly weight: number;
  /** For rows of a shape of their own. */
  convert?(row: Row): Converted;
}

const knownSets: readonly KnownSet[] = [
  {
    name: "dolly",
    path: "sft/dolly/dolly.jsonl.gz",
    licence: "CC BY-SA 3.0",
    card: "Databricks Dolly: instructions and answers written by people, in eight categories.",
    weight: 0.3,
  },
  {
    name: "dolly-hhrlhf-extra",
    path: "sft/dolly_hhrlhf_extra/extra.jsonl.gz",
    licence: "CC BY-SA 3.0, MIT",
    card: "Further instructions of MosaicML's mixture of Dolly and HH-RLHF.",
    weight: 0.02,
  },
  {
    name: "rasbt-instructions",
    path: "sft/rasbt_instructions/instruction_data.jsonl.gz",
    licence: "Apache-2.0",
    card: "1,100 very simple instructions made by a model, of a book on language models.",
    weight: 0.1,
  },
  {
    name: "identity-template",
    path: "sft/identity_template/identity.jsonl.gz",
    licence: "Apache-2.0",
    card: "Questions about who the assistant is, with Nutshell's name filled in.",
    weight: 0.02,
    convert: fromIdentityTemplate,
  },
  {
    name: "chatterbot",
    path: "sft/chatterbot/chatterbot_en.jsonl.gz",
    licence: "BSD-3-Clause",
    card: "Small talk of the ChatterBot project, of uneven quality.",
    weight: 0.04,
    convert: fromPlainTurns,
  },
  {
    name: "gsm8k",
    path: "math_rl/gsm8k/train.jsonl.gz",
    licence: "MIT",
    card: "GSM8K, train: school sums in words; the sums of its steps are calls of the calculator.",
    weight: 0.2,
    convert: fromGsm8k,
  },
  {
    name: "trivia",
    path: "pretrain/qa_trivia/opentriviaqa.jsonl.gz",
    licence: "CC BY-SA 4.0",
    card: "OpenTriviaQA: trivia with choices, written by volunteers; some answers are wrong.",
    weight: 0.08,
    convert: fromTrivia,
  },
  {
    name: "medquad",
    path: "pretrain/qa_medquad/medquad.jsonl.gz",
    licence: "CC BY 4.0",
    card: "MedQuAD: medical questions with answers of the National Institutes of Health.",
    weight: 0.04,
  },
  {
    name: "sgd",
    path: "tools/sgd/sgd_train.jsonl.gz",
    licence: "CC BY-SA 4.0",
    card: "Schema-Guided Dialogue, train: service dialogues; their service calls are tool calls.",
    weight: 0.15,
    convert: fromServiceDialogue,
  },
  {
    name: "glaive-demo",
    path: "tools/glaive_demo/glaive_toolcall.jsonl.gz",
    licence: "Apache-2.0",
    card: "300 conversations with function calls, made by models.",
    weight: 0.02,
  },
  {
    name: "toolformer",
    path: "tools/gpteacher_toolformer/toolformer.jsonl.gz",
    licence: "MIT",
    card: "GPTeacher Toolformer, made by GPT-4: the rows whose call is a sum for the calculator.",
    weight: 0.03,
    convert: fromToolformer,
  },
];

/** @param dataFolder holds the sets in the folders of the table  @returns those that are there */
export function findConversationSources(dataFolder: string): ConversationSource[] {
  return knownSets
    .filter(({ path }) => existsSync(join(dataFolder, path)))
    .map(({ name, path, licence, card, weight, convert }) => ({
      name,
      licence,
      card,
      weight,
      use: "train",
      read: (counts) => readConversations(join(dataFolder, path), counts, convert),
    }));
}
