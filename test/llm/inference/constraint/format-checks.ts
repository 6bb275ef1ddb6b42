/** Formats of JSON Schema as a reader checks them, written apart from the patterns of the code. */
import { isIPv4, isIPv6 } from "node:net";

function isDate(text: string): boolean {
  if (!/^\d{4}-\d\d-\d\d$/.test(text)) return false;
  const date = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().slice(0, 10) === text;
}

function isTime(text: string): boolean {
  const [, clock = "", hours = "0", minutes = "0"] =
    /^(\d\d:\d\d:\d\d)(?:\.\d+)?(?:Z|[+-](\d\d):(\d\d))$/.exec(text) ?? [];
  const [hour = 99, minute = 99, second = 99] = clock.split(":").map(Number);
  const inside = hour < 24 && minute < 60 && second < 60;
  return clock !== "" && inside && Number(hours) < 24 && Number(minutes) < 60;
}

function isHostname(text: string): boolean {
  const labels = text.split(".");
  return (
    text.length <= 253 && labels.every((label) => /^(?!-)[A-Za-z0-9-]{1,63}(?<!-)$/.test(label))
  );
}

function isEmail(text: string): boolean {
  const [local = "", domain = "", ...more] = text.split("@");
  const dots = /^[^.\s"<>()]+(\.[^.\s"<>()]+)*$/.test(local);
  return more.length === 0 && dots && local.length <= 64 && isHostname(domain);
}

export const formatChecks: Readonly<Record<string, (text: string) => boolean>> = {
  date: isDate,
  time: isTime,
  "date-time": (text) => isDate(text.slice(0, 10)) && text[10] === "T" && isTime(text.slice(11)),
  duration: (text) =>
    /^P(?=.)(\d+W|(\d+Y)?(\d+M)?(\d+D)?(T(?=\d)(\d+H)?(\d+M)?(\d+S)?)?)$/.test(text),
  uuid: (text) =>
    text
      .split("-")
      .map((part) => part.length)
      .join() === "8,4,4,4,12" && /^[0-9a-f-]+$/i.test(text),
  email: isEmail,
  hostname: isHostname,
  ipv4: isIPv4,
  ipv6: isIPv6,
  uri: (text) =>
    /^[A-Za-z][A-Za-z0-9+.-]*:/.test(text) &&
    /^(?:[\w.~:/?#[\]@!$&'()*+,;=-]|%[0-9a-f]{2})*$/i.test(text),
};
