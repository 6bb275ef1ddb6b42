/** `nutshell chat`: talk with a model that was taught to answer. */
import { NutshellError } from "../../error.ts";
import type { OptionTableFor } from "../../options.ts";
import { openChat } from "../chat/open-chat.ts";
import { type ChatValues, chatOptions } from "../chat/options.ts";
import { type Command, defineCommand } from "../command.ts";

const EXAMPLE = 'nutshell chat --model models/kernel --prompt "What is 24 * 78?"';

export const command: Command<OptionTableFor<ChatValues>> = defineCommand({
  name: "chat",
  summary: "talk with a model that was taught to answer, tools at hand",
  example: EXAMPLE,
  options: chatOptions,
  async run(values, io) {
    const { model } = values;
    if (model === undefined)
      throw new NutshellError("USAGE", `chat: needs --model, got none. Try: ${EXAMPLE}`);
    await openChat({ ...values, model }, io);
  },
});
