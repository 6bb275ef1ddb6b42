/**
 * The formats of JSON Schema that can be written as patterns of whole texts; each accepts a part
 * of what its standard allows that every reader accepts: no leap seconds, no comments in addresses.
 * @see RFC 3339 (dates), RFC 5321 (email), RFC 3986 (uri), RFC 4291 (ipv6), RFC 9562 (uuid)
 */
const year = "[0-9]{4}";
const divisibleBy4 = "(?:0[48]|[2468][048]|[13579][26])";
const leapYear = `(?:[0-9]{2}${divisibleBy4}|(?:00|${divisibleBy4})00)`;
const day30 = "(?:0[1-9]|[12][0-9]|30)";
const date =
  `(?:${year}-(?:0[13578]|1[02])-(?:${day30}|31)|${year}-(?:0[469]|11)-${day30}` +
  `|${year}-02-(?:0[1-9]|1[0-9]|2[0-8])|${leapYear}-02-29)`;
const clock = "(?:[01][0-9]|2[0-3]):[0-5][0-9]";
const time = `${clock}:[0-5][0-9](?:\\.[0-9]{1,9})?(?:Z|[+-]${clock})`;
const octet = "(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])";
const ipv4 = `${octet}(?:\\.${octet}){3}`;
const label = "[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?";
const hex4 = "[0-9A-Fa-f]{1,4}";
/** So many groups stand before `::`, the others may be left out behind it. */
const shortened = Array.from({ length: 8 }, (_, before) => {
  const head = before === 0 ? "" : `${hex4}(?::${hex4}){${before - 1}}`;
  return `${head}::${before < 7 ? `(?:${hex4}(?::${hex4}){0,${6 - before}})?` : ""}`;
});
const pchar = "(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})";
const host = "(?:[A-Za-z0-9._~!$&'()*+,;=-]|%[0-9A-Fa-f]{2})";
const authority = `(?:(?:${host}|:)*@)?${host}*(?::[0-9]{0,5})?`;
const rootless = `${pchar}+(?:/${pchar}*)*`;

export const formats: ReadonlyMap<string, string> = new Map([
  ["date", date],
  ["time", time],
  ["date-time", `${date}T${time}`],
  [
    "duration",
    "P(?:[0-9]{1,4}W|(?:[0-9]{1,4}Y(?:[0-9]{1,4}M(?:[0-9]{1,4}D)?)?|[0-9]{1,4}M(?:[0-9]{1,4}D)?" +
      "|[0-9]{1,4}D)(?:T(?:[0-9]{1,4}H(?:[0-9]{1,4}M(?:[0-9]{1,4}S)?)?|[0-9]{1,4}M" +
      "(?:[0-9]{1,4}S)?|[0-9]{1,4}S))?|T(?:[0-9]{1,4}H(?:[0-9]{1,4}M(?:[0-9]{1,4}S)?)?" +
      "|[0-9]{1,4}M(?:[0-9]{1,4}S)?|[0-9]{1,4}S))",
  ],
  ["uuid", "[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}"],
  [
    "email",
    `[A-Za-z0-9_+-]{1,32}(?:\\.[A-Za-z0-9_+-]{1,15}){0,2}@${label}(?:\\.${label}){0,2}` +
      "\\.[A-Za-z]{2,24}",
  ],
  ["hostname", `${label}(?:\\.${label}){0,3}`],
  ["ipv4", ipv4],
  ["ipv6", `(?:${hex4}(?::${hex4}){7}|${shortened.join("|")})`],
  [
    "uri",
    `[A-Za-z][A-Za-z0-9+.-]{0,15}:(?://${authority}(?:/${pchar}*)*|/(?:${rootless})?|(?:${rootless})?)` +
      `(?:\\?(?:${pchar}|[/?])*)?(?:#(?:${pchar}|[/?])*)?`,
  ],
]);
