/**
 * Where conversations come from, seen alike: a built-in task makes them without end, a file is
 * read to its end. Either keeps the held-out side apart by the hash of a conversation's question.
 */
import type { Conversation } from "../chat/conversation.ts";
import { joinExchanges, type WeightedTask } from "../tasks/exchanges.ts";
import type { RowCounts } from "../tasks/row-counts.ts";
import type { ConversationSource } from "../tasks/source.ts";
import { splitOfMessages } from "../tasks/split.ts";
import { tasks, tinyMixture } from "../tasks/table.ts";
import type { Split, Task } from "../tasks/task.ts";

export interface Supply {
  readonly name: string;
  readonly licence: string;
  readonly card: string;
  /** Share of the mixture, relative to the other supplies. */
  readonly weight: number;
  /** The built-in task behind `make`. */
  readonly task?: Task;
  /** Any number of conversations by index; absent where `read` gives all that there are. */
  readonly make?: (index: number, split: Split, seed: number) => Conversation;
  readonly read?: (counts: RowCounts) => AsyncGenerator<SplitConversation>;
}

export interface SplitConversation {
  readonly conversation: Conversation;
  readonly split: Split;
}

/** The built-in tasks, in the proportions that suit a small model. */
export function taskSupplies(): Supply[] {
  return tinyMixture.map(({ task, weight }) => supplyOfTask(tasks.get(task) as Task, weight));
}

function supplyOfTask(task: Task, weight: number): Supply {
  return {
    ...{ name: task.name, licence: "Apache-2.0", card: task.description, weight },
    task,
    make(index, split, seed) {
      const { prompt, solution } = task.problem(index, split, seed);
      return { messages: [...prompt, ...solution] };
    },
  };
}

/**
 * Tasks ask one another's problems before their own, up to `most` exchanges in a conversation.
 * Shares stay as they are: what comes before is drawn by the same weights.
 */
export function joinSupplies(supplies: readonly Supply[], most: number): Supply[] {
  const others = supplies.flatMap(({ task, weight }): WeightedTask[] =>
    task === undefined ? [] : [{ task, weight }],
  );
  return supplies.map((supply) => {
    const { task } = supply;
    if (task === undefined || most === 1) return supply;
    const make: Supply["make"] = (...at) => joinExchanges(task, others, most, ...at);
    return { ...supply, make };
  });
}

export function supplyOfSource(source: ConversationSource): Supply {
  const { name, licence, card, weight, use } = source;
  return {
    ...{ name, licence, card, weight },
    async *read(counts) {
      for await (const conversation of source.read(counts)) {
        const split = use === "test" ? use : splitOfMessages(conversation.messages);
        yield { conversation, split };
      }
    },
  };
}
