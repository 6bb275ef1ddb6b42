/**
 * The evaluation sets that may lie beside a checkout, one a row: where, in which form, how many
 * solved examples go before a question and what stands between a question and its answer. Numbers
 * of examples are those of the published benchmarks; a short context takes what fits.
 */
import {
  type EvalItem,
  type LocatedRow,
  toChoice,
  toContinuation,
  toGradeSchool,
  toHard,
  toLettered,
  toOpen,
  toSchema,
  toSum,
  toTruthful,
} from "./items.ts";

export interface DataSet {
  readonly name: string;
  /** Below the folder of data. */
  readonly file: string;
  readonly toItem: (row: LocatedRow) => EvalItem;
  readonly shots: number;
  /** Where the examples come from; absent: other rows of the file. */
  readonly shotsFile?: string;
  /** Examples agree with the question in this field. */
  readonly groupBy?: string;
  /** Between question and answer in plain text. */
  readonly delimiter: string;
  /** Answers are compared by their last number. */
  readonly numeric?: boolean;
  /** A task trains on the file's other side: only held-out questions are asked. */
  readonly heldOut?: boolean;
  /** Also the perplexity of the endings. */
  readonly perplexity?: boolean;
}

type Row = readonly [
  name: string,
  toItem: DataSet["toItem"],
  shots: number,
  more?: Partial<DataSet>,
];

const labelled = { delimiter: "\nAnswer: " };

const coreRows: readonly Row[] = [
  ["arc_easy", toChoice, 10, labelled],
  ["arc_challenge", toChoice, 10, labelled],
  ["piqa", toChoice, 10, labelled],
  ["openbook_qa", toChoice, 0],
  ["commonsense_qa", toChoice, 10],
  ["siqa", toChoice, 3],
  ["bigbench_misconceptions", toChoice, 10],
  ["bigbench_logical_deduction", toChoice, 10],
  ["winogender_mc_female", toChoice, 10],
  ["winogender_mc_male", toChoice, 10],
  ["winogrande", toSchema, 0],
  ["bigbench_cs_algorithms", toContinuation, 10],
  ["bigbench_dyck_languages", toContinuation, 10],
  ["bigbench_operators", toContinuation, 10],
  ["bigbench_qa_wikidata", toContinuation, 10],
  ["pubmed_qa_labeled", toContinuation, 10],
  ["triviaqa_sm_sub", toOpen, 3],
];

export const coreSets: readonly DataSet[] = [
  ...coreRows.map(([name, toItem, shots, more]) => {
    return { name, file: `eval/core/${name}.jsonl.gz`, toItem, shots, delimiter: " ", ...more };
  }),
  {
    ...{ name: "mmlu", file: "eval/mmlu/test.jsonl.gz", toItem: toLettered, delimiter: " " },
    ...{ shots: 5, shotsFile: "eval/mmlu/dev.jsonl.gz", groupBy: "subject" },
  },
  {
    ...{ name: "truthfulqa", file: "eval/truthfulqa/truthfulqa.jsonl.gz", toItem: toTruthful },
    ...{ shots: 0, delimiter: " " },
  },
  {
    ...{ name: "bbh", file: "eval/bbh/bbh.jsonl.gz", toItem: toHard },
    ...{ shots: 3, groupBy: "task", delimiter: " " },
  },
];

export const textSets: readonly DataSet[] = [
  {
    ...{ name: "lambada", file: "eval/core/lambada_openai.jsonl.gz", toItem: toContinuation },
    ...{ shots: 0, delimiter: " ", perplexity: true },
  },
];

export const mathSets: readonly DataSet[] = [
  {
    ...{ name: "gsm8k", file: "math_rl/gsm8k/test.jsonl.gz", toItem: toGradeSchool },
    ...{ shots: 0, delimiter: "\nAnswer: ", numeric: true },
  },
  {
    ...{ name: "svamp", file: "math_rl/svamp/svamp.jsonl.gz", toItem: toOpen },
    ...{ shots: 0, delimiter: "\nAnswer: ", numeric: true, heldOut: true },
  },
  {
    ...{ name: "simple_arithmetic", toItem: toSum, shots: 0, delimiter: " " },
    ...{ file: "math_rl/simple_arithmetic/simple_arithmetic.jsonl.gz" },
    ...{ numeric: true, heldOut: true },
  },
];
