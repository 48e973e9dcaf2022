// Text from documents, file names, models and errors: cut by code points, and made safe to look at.

/** The part of a text between two offsets that count Unicode code points, as all offsets of the API do. */
export function slice(text, start, end) {
  return text.slice(unit(text, start), unit(text, end));
}

/** The UTF-16 index of a code point: characters outside the basic plane take two units. */
export function unit(text, point) {
  let at = 0;
  for (let n = 0; n < point && at < text.length; n += 1) at += text.codePointAt(at) > 0xffff ? 2 : 1;
  return at;
}

/** How many code points a text has. */
export function length(text) {
  let count = 0;
  for (const _ of text) count += 1;
  return count;
}

/**
 * The text with every control character made visible, so that none makes it read as something else.
 * The server does the same for the pages it renders.
 */
export function visible(text) {
  return String(text)
    .replaceAll("\r\n", "\n")
    .replace(/[\u0000-\u0008\u000b-\u001f]/g, (c) => String.fromCharCode(0x2400 + c.charCodeAt(0)))
    .replaceAll("\u007f", "␡")
    .replace(/[\u0080-\u009f]/g, (c) => `\\x${c.charCodeAt(0).toString(16)}`)
    .replace(/[\u202a-\u202e\u2066-\u2069]/g, (c) => `\\u${c.charCodeAt(0).toString(16)}`)
    .replace(/[\u{e0000}-\u{e007f}]/gu, "");
}

/** The same on one line: for paths, titles and reasons. */
export const oneLine = (text) => visible(text).replace(/\s+/g, " ").trim();

/** "1 document", "2 documents". */
export const count = (number, noun) => `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`;

/** A day such as 2022-04-20 in words; anything else as it is. */
export function day(iso) {
  const date = /^\d{4}-\d{2}-\d{2}$/.test(iso) ? new Date(`${iso}T00:00:00Z`) : null;
  if (!date || Number.isNaN(date.getTime())) return oneLine(iso);
  return date.toLocaleDateString("en-GB", { day: "numeric", month: "long", year: "numeric", timeZone: "UTC" });
}

/** A moment in the reader's own time. */
export function moment(iso) {
  const date = new Date(iso);
  if (Number.isNaN(date.getTime())) return oneLine(iso);
  return date.toLocaleString("en-GB", { day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit" });
}

/** Paragraph, lines, page and date of a citation, in words. */
export function place(found) {
  const { line_start: first, line_end: last, page, date, paragraph } = found;
  const parts = [`paragraph ${paragraph}`, first === last ? `line ${first}` : `lines ${first}–${last}`];
  if (page !== null && page !== undefined) parts.push(`page ${page}`);
  if (date) parts.push(day(date));
  return parts;
}

/** The program's own word between the sentence that ends before `start` and this one: "Dong Jun, 16 April 2024:". */
export function labelBefore(text, from, start) {
  const between = slice(text, from, start).replace(/^(?:\s*\[\d+\])*/, "").trim();
  return between.endsWith(":") ? between : "";
}

/** How old the newest of the cited documents is, in words, where that is more than a year; else nothing. */
export function age(citations, today = new Date()) {
  const days = citations.map(({ date }) => date).filter((date) => /^\d{4}-\d{2}-\d{2}$/.test(date ?? ""));
  if (!days.length) return "";
  const newest = days.toSorted().at(-1);
  const [year, month, dayOfMonth] = newest.split("-").map(Number);
  const early = (today.getMonth() + 1) * 100 + today.getDate() < month * 100 + dayOfMonth ? 1 : 0;
  const years = today.getFullYear() - year - early;
  if (years < 1) return "";
  const many = new Set(citations.map(({ document_id }) => document_id)).size > 1;
  return `${many ? "The newest dated source of this answer" : "The source of this answer"} is of ${day(newest)}, ${count(years, "year")} old.`;
}
