// Words: everything a person reads comes from words/<language>.json, and for later screens words/<language>-rest.json, through
// t(). Plurals by Intl; nothing here knows a screen. The server makes the files of its catalogues, and lists what it has.

let table = {};
let plural = null;
let locale = "en";
let whole = false; // the rest is wanted too
const answered = document.documentElement.lang;

/** The languages that there are words for. */
export const languagesOfPage = () => (document.documentElement.dataset.words ?? "en").split(" ");

/** What is read: the choice, else the language in which the server answered this browser. */
export const languageFor = (choice) => (languagesOfPage().includes(choice) ? choice : answered);

/** A document of the server in the page's language, where that was chosen and is not the one in which it answers by itself. */
export const documentAt = (path) => (locale === answered ? path : path.replace(/(?=#|$)/, `?lang=${locale}`));

/** One file, relative to this one, so that it is as immutable as it is. */
async function file(name) {
  const answer = await fetch(new URL(`./words/${name}.json`, import.meta.url));
  if (!answer.ok) throw new Error(`no words: ${name}`);
  return answer.json();
}

/** Load a language's words and make it the page's; gives it. */
export async function load(language) {
  const found = await Promise.all([file(language), ...(whole ? [file(`${language}-rest`)] : [])]);
  table = Object.assign({}, ...found);
  locale = language;
  plural = new Intl.PluralRules(language);
  Object.assign(document.documentElement, { lang: language, dir: table.direction });
  return language;
}

/** The words of later screens, from now on, in whatever language. */
export async function loadRest() {
  const language = locale;
  const found = await file(`${language}-rest`);
  whole = true;
  if (language === locale) Object.assign(table, found);
  else await load(locale);
}

const number = (value) => (typeof value === "number" ? value.toLocaleString(locale) : value);

function pattern(key, values) {
  const entry = table[key];
  if (entry === undefined) throw new Error(`no word for ${key}`);
  return typeof entry === "string" ? entry : (entry[plural.select(values.n)] ?? entry.other);
}

/** The text of `key` with {names} filled in. */
export const t = (key, values = {}) =>
  pattern(key, values).replace(/\{(\w+)\}/g, (place, name) => (name in values ? number(values[name]) : place));

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

/** What stands between two sentences: nothing, where a full stop is as wide as a letter. */
export const gap = () => (locale === "ja" ? "" : " ");

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
