// What a line is made of: what it quotes, its text, the links in it, a few emoji alone. Text all of it; nothing here is opened.
import { clean } from "../text.js";

const QUOTED = /^(?:> ?[^\n]*\n)+/;
const LINK = /\bhttps?:\/\/[^\s<>"“”「」]{3,}/giu;
const BEHIND = /[.,;:!?…'"»”)\]}]+$/u; // belongs to the sentence
// An emoji: a flag, a key, or a picture with its skin, its joined ones and its tags. What prints as a sign of text (©, ↔) is none.
const PICTURE = "(?![\u00a9\u00ae\u2122\u203c\u2049\u2139\u2194-\u21aa])\\p{Extended_Pictographic}[\ufe0f\\p{EMod}]*[\u{e0020}-\u{e007f}]*";
const ALONE = new RegExp(`^\\s*(?:(?:\\p{RI}\\p{RI}|[0-9#*]\ufe0f?\u20e3|${PICTURE}(?:\u200d${PICTURE})*)\\s*){1,3}$`, "u");
const LONGEST = 80; // of three emoji with all that can be joined to them
const LINKS = 3;
const QUOTE_LINES = 3;
const QUOTE = 160; // code points

/** `quote` without its signs, or ""; `text`: the rest, all where there is nothing else. */
export function partsOf(said) {
  const [quote, text] = splitQuote(clean(said));
  return { quote: bare(quote), text };
}

/** The quoted lines that `said` begins with, signs and all, or ""; and the rest. Without a rest nothing counts as quoted. */
export function splitQuote(said) {
  const quote = QUOTED.exec(said)?.[0] ?? "";
  const rest = said.slice(quote.length);
  return rest.trim() ? [quote, rest] : ["", said];
}

/** Quoted lines without their signs. */
export const bare = (quote) => quote.replace(/^> ?/gm, "").trimEnd();

/** Up to three emoji and nothing else. */
export const alone = (text) => text.length <= LONGEST && ALONE.test(text);

/** The addresses in a text, each once, without the sign that ends the sentence. */
export const linksOf = (text) => [...new Set([...text.matchAll(LINK)].map(([link]) => link.replace(BEHIND, "")))].slice(0, LINKS);

/** What stands before an answer: what was said, without what that quoted, marked and cut short. */
export function quoteOf(said) {
  const lines = partsOf(said).text.trim().split("\n");
  const [kept, points] = [lines.slice(0, QUOTE_LINES).join("\n"), [...lines.slice(0, QUOTE_LINES).join("\n")]];
  const cut = points.length > QUOTE ? `${points.slice(0, QUOTE).join("").trimEnd()}…` : lines.length > QUOTE_LINES ? `${kept}…` : kept;
  return `${cut.replace(/^/gm, "> ")}\n`;
}
