/** `clock {}`: the date and time of the conversation's world. */
import type { Tool } from "../tool.ts";

const WEEKDAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

export const clock: Tool = {
  name: "clock",
  description: 'The weekday, date and time in UTC, as in "Thursday 2024-05-16 14:03 UTC".',
  parameters: { type: "object", properties: {}, additionalProperties: false },
  run: (_, { now }) => {
    const [date = "", time = ""] = now.toISOString().split("T");
    return `${WEEKDAYS[now.getUTCDay()]} ${date} ${time.slice(0, 5)} UTC`;
  },
};
