// Split a line into its quote, its text, its links, or a few emoji alone. All of it is text; no link is opened here.
import { clean } from "../text.js";

const QUOTED = /^(?:> ?[^\n]*\n)+/;
const LINK = /\bhttps?:\/\/[^\s<>"“”「」]{3,}/giu;
const BEHIND = /[.,;:!?…'"»”)\]}]+$/u; // belongs to the sentence
// Match one emoji: a flag, a key cap, or a picture with its skin, its joined ones and its tags. Text symbols (©, ↔) are excluded.
const PICTURE = "(?![\u00a9\u00ae\u2122\u203c\u2049\u2139\u2194-\u21aa])\\p{Extended_Pictographic}[\ufe0f\\p{EMod}]*[\u{e0020}-\u{e007f}]*";
const ALONE = new RegExp(`^\\s*(?:(?:\\p{RI}\\p{RI}|[0-9#*]\ufe0f?\u20e3|${PICTURE}(?:\u200d${PICTURE})*)\\s*){1,3}$`, "u");
const LONGEST = 80; // code units of three emoji with everything that can be joined to them
const LINKS = 3;
const QUOTE_LINES = 3;
const QUOTE = 160; // code points
const SHORT = 60; // code points

/** Return `quote` without its signs, or "", and `text`: the rest, or everything if there is nothing else. */
export function partsOf(said) {
  const [quote, text] = splitQuote(clean(said));
  return { quote: bare(quote), text };
}

/** Return the quoted lines at the beginning of `said`, with their signs, or ""; and the rest. Without a rest nothing counts as quoted. */
export function splitQuote(said) {
  const quote = QUOTED.exec(said)?.[0] ?? "";
  const rest = said.slice(quote.length);
  return rest.trim() ? [quote, rest] : ["", said];
}

/** Return the beginning of a line without its quote, enough to tell it from another. */
export function shortOf(said) {
  const points = [...partsOf(said).text.trim().replace(/\s+/g, " ")];
  return points.length > SHORT ? `${points.slice(0, SHORT).join("").trimEnd()}…` : points.join("");
}

/** Return quoted lines without their signs. */
export const bare = (quote) => quote.replace(/^> ?/gm, "").trimEnd();

/** Whether a text is one to three emoji and nothing else. */
export const alone = (text) => text.length <= LONGEST && ALONE.test(text);

/** Return the links in a text, each once, without the sign that ends the sentence. */
export const linksOf = (text) => [...new Set([...text.matchAll(LINK)].map(([link]) => link.replace(BEHIND, "")))].slice(0, LINKS);

/** Return the quote before an answer: the line without its own quote, marked and shortened. */
export function quoteOf(said) {
  const lines = partsOf(said).text.trim().split("\n");
  const [kept, points] = [lines.slice(0, QUOTE_LINES).join("\n"), [...lines.slice(0, QUOTE_LINES).join("\n")]];
  const cut = points.length > QUOTE ? `${points.slice(0, QUOTE).join("").trimEnd()}…` : lines.length > QUOTE_LINES ? `${kept}…` : kept;
  return `${cut.replace(/^/gm, "> ")}\n`;
}
