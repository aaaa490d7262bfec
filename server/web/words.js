// Words: everything a person reads comes from words/<language>.json through t(). Plurals by Intl; nothing here knows a screen.

let table = {};
let plural = new Intl.PluralRules("en");
let locale = "en";

export const languageOfPage = () => locale;

/** Load a language's words, relative to this file, so that they are as immutable as it is. */
export async function load(language = "en") {
  const answer = await fetch(new URL(`./words/${language}.json`, import.meta.url));
  if (!answer.ok) throw new Error(`no words for ${language}`);
  use(await answer.json(), language);
}

export function use(words, language) {
  table = words;
  locale = language;
  plural = new Intl.PluralRules(language);
}

const number = (value) => (typeof value === "number" ? value.toLocaleString(locale) : value);

function pattern(key, values) {
  const entry = table[key];
  if (entry === undefined) throw new Error(`no word for ${key}`);
  return typeof entry === "string" ? entry : (entry[plural.select(values.n)] ?? entry.other);
}

/** The text of `key` with {names} filled in. */
export const t = (key, values = {}) =>
  pattern(key, values).replace(/\{(\w+)\}/g, (whole, name) => (name in values ? number(values[name]) : whole));

/** The same, as a list for a view: values may be nodes. */
export function parts(key, values = {}) {
  return pattern(key, values)
    .split(/\{(\w+)\}/)
    .map((piece, index) => (index % 2 ? number(values[piece]) : piece));
}

/** "a, b and c" as a list for a view; `wrap` makes a node of each. */
export function listed(items, wrap = (item) => item) {
  const format = new Intl.ListFormat(locale, { type: "conjunction" });
  let next = 0;
  return format.formatToParts(items.map(String)).map((piece) => (piece.type === "element" ? wrap(items[next++]) : piece.value));
}

/** A language's own name, as its speakers write it ("Deutsch"), or the page's name for it. */
export function languageName(tag, inIts = false) {
  if (tag === "*") return t("home.language.any");
  try {
    const name = new Intl.DisplayNames([inIts ? tag : locale], { type: "language" }).of(tag) ?? tag;
    return inIts ? name.charAt(0).toLocaleUpperCase(tag) + name.slice(1) : name;
  } catch {
    return tag;
  }
}

/** A day in the page's language ("3 December"). */
export const dayName = (when) => new Date(when).toLocaleDateString(locale, { day: "numeric", month: "long", year: "numeric" });
