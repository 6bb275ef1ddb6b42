/**
 * Checks that tell a personal number from any other row of digits: check digits, ranges, shapes.
 */

/** Luhn's check digit. @param digits digits only */
export function passesLuhn(digits: string): boolean {
  let sum = 0;
  for (let i = 0; i < digits.length; i++) {
    const digit = digits.charCodeAt(digits.length - 1 - i) - 48;
    const doubled = i % 2 === 1 ? digit * 2 : digit;
    sum += doubled > 9 ? doubled - 9 : doubled;
  }
  return sum % 10 === 0;
}

/** Beginnings and lengths of card numbers (ISO/IEC 7812 ranges of the large networks). */
const cards: readonly RegExp[] = [
  /^4(\d{12}|\d{15}|\d{18})$/, // Visa
  /^(5[1-5]\d{14}|2(2[2-9]|[3-6]\d|7[01])\d{13})$/, // Mastercard
  /^3[47]\d{13}$/, // American Express
  /^6(011|5\d\d|4[4-9]\d)\d{12}$/, // Discover
  /^35(2[89]|[3-8]\d)\d{12}$/, // JCB
  /^3(0[0-5]|[68]\d)\d{11}$/, // Diners Club
];

/** A number of a card network whose check digit is right. */
export function isCardNumber(text: string): boolean {
  const digits = text.replace(/[ -]/g, "");
  return cards.some((card) => card.test(digits)) && passesLuhn(digits);
}

/** Length of an IBAN by country (ISO 13616 registry). */
// biome-ignore format: a table
const ibanLengths: Readonly<Record<string, number>> = {
  AD: 24, AE: 23, AL: 28, AT: 20, AZ: 28, BA: 20, BE: 16, BG: 22, BH: 22, BR: 29, BY: 28, CH: 21,
  CR: 22, CY: 28, CZ: 24, DE: 22, DK: 18, DO: 28, EE: 20, EG: 29, ES: 24, FI: 18, FO: 18, FR: 27,
  GB: 22, GE: 22, GI: 23, GL: 18, GR: 27, GT: 28, HR: 21, HU: 28, IE: 22, IL: 23, IQ: 23, IS: 26,
  IT: 27, JO: 30, KW: 30, KZ: 20, LB: 28, LC: 32, LI: 21, LT: 20, LU: 20, LV: 21, MC: 27, MD: 24,
  ME: 22, MK: 19, MR: 27, MT: 31, MU: 30, NL: 18, NO: 15, PK: 24, PL: 28, PS: 29, PT: 25, QA: 29,
  RO: 24, RS: 22, SA: 24, SC: 31, SE: 24, SI: 19, SK: 24, SM: 27, SV: 28, TN: 24, TR: 26, UA: 29,
  VA: 22, VG: 24, XK: 20,
};

/** Country, length and the remainder of 97. */
export function isIban(text: string): boolean {
  const iban = text.replace(/[ -]/g, "");
  if (ibanLengths[iban.slice(0, 2)] !== iban.length) return false;
  let remainder = 0;
  for (const character of iban.slice(4) + iban.slice(0, 4)) {
    const value = Number.parseInt(character, 36);
    remainder = (value < 10 ? remainder * 10 + value : remainder * 100 + value) % 97;
  }
  return remainder === 1;
}

/** First and last address of ranges that belong to nobody (RFC 1918, 5737, 6598, 6890 …). */
const reserved: readonly (readonly [first: string, last: string])[] = [
  ["0.0.0.0", "0.255.255.255"],
  ["10.0.0.0", "10.255.255.255"],
  ["100.64.0.0", "100.127.255.255"],
  ["127.0.0.0", "127.255.255.255"],
  ["169.254.0.0", "169.254.255.255"],
  ["172.16.0.0", "172.31.255.255"],
  ["192.0.0.0", "192.0.2.255"],
  ["192.168.0.0", "192.168.255.255"],
  ["198.18.0.0", "198.19.255.255"],
  ["198.51.100.0", "198.51.100.255"],
  ["203.0.113.0", "203.0.113.255"],
  ["224.0.0.0", "255.255.255.255"],
];

const reservedRanges = reserved.map(([first, last]) => [toNumber(first), toNumber(last)] as const);

function toNumber(address: string): number {
  return address.split(".").reduce((sum, octet) => sum * 256 + Number(octet), 0);
}

/** With both first octets below this, four numbers are a version more often than a host. */
const LEAST_OCTET = 20;

/** A public address; 1.2.3.4 and 9.0.115.0 are taken for versions. */
export function isPublicIpv4(text: string): boolean {
  const octets = text.split(".");
  if (octets.some((octet) => Number(octet) > 255 || /^0\d/.test(octet))) return false;
  if (octets.slice(0, 2).every((octet) => Number(octet) < LEAST_OCTET)) return false;
  const address = toNumber(text);
  return !reservedRanges.some(([first, last]) => address >= first && address <= last);
}

/** A global unicast address outside the documentation prefix (RFC 4291, 3849). */
export function isPublicIpv6(text: string): boolean {
  const groups = text.toLowerCase().split(":");
  const full = groups.length === 8 && !text.includes("::");
  const short = text.split("::").length === 2 && groups.length <= 8 && groups.length >= 4;
  if (!full && !short) return false;
  if (!/^[23][0-9a-f]{3}$/.test(groups[0] ?? "")) return false;
  return !/^2001:0?db8$/.test(groups.slice(0, 2).join(":"));
}

/** Ranges that were never issued are no numbers of persons (SSA, randomised since 2011). */
export function isSocialSecurityNumber(text: string): boolean {
  const [area = "", group = "", serial = ""] = text.split("-");
  if (area === "000" || area === "666" || area >= "900") return false;
  return group !== "00" && serial !== "0000";
}

/** Prefixes that charge the receiver: offices, not persons. */
const tollFree = new Set(["800", "833", "844", "855", "866", "877", "888", "900"]);

/** A North American number with an area and exchange that can exist, and not toll-free. */
export function isAmericanPhone(text: string): boolean {
  const digits = text.replace(/\D/g, "").replace(/^1(?=\d{10}$)/, "");
  if (digits.length !== 10 || tollFree.has(digits.slice(0, 3))) return false;
  return /^[2-9]\d\d[2-9]/.test(digits) && !/^(\d)\1{9}$/.test(digits);
}

/** Digits of an international number (E.164: at most 15). */
export function isInternationalPhone(text: string): boolean {
  const digits = text.replace(/\D/g, "");
  if (digits.length < 9 || digits.length > 15) return false;
  return !(digits.startsWith("1") && tollFree.has(digits.slice(1, 4)));
}

/** Letters in both cases and digits: what a generated key has and a word does not. */
export function looksRandom(text: string): boolean {
  return /\d/.test(text) && /[A-Z]/.test(text) && /[a-z]/.test(text);
}
