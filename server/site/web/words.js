// Load the words of a language: everything a user reads comes from words/<language>.json, and for later screens words/<language>-rest.json,
// through t(). Plurals by Intl; no screen is known here. The server makes the files from its catalogues, and lists them.

let table = {};
let plural = null;
let locale = "en";
let whole = false; // the rest is needed too
const answered = document.documentElement.lang;
const NAME = "Serendip";
let called = NAME;

/** Call the installation by the name of its operator, if it has one, in every sentence. */
export const callIt = (name) => (called = name ?? NAME);

/** Return the languages that have words. */
export const languagesOfPage = () => (document.documentElement.dataset.words ?? "en").split(" ");

/** Return the language of the page: the choice, else the language of the server's answer to this browser. */
export const languageFor = (choice) => (languagesOfPage().includes(choice) ? choice : answered);

/** Return the address of a document in the language of the page, if that was chosen and differs from the server's answer. */
export const documentAt = (path) => (locale === answered ? path : path.replace(/(?=#|$)/, `?lang=${locale}`));

/** Load one file, relative to this one, so that it is as immutable. */
async function file(name) {
  const answer = await fetch(new URL(`./words/${name}.json`, import.meta.url));
  if (!answer.ok) throw new Error(`no words: ${name}`);
  return answer.json();
}

/** Load a language and make it the language of the page; returns it. */
export async function load(language) {
  const found = await Promise.all([file(language), ...(whole ? [file(`${language}-rest`)] : [])]);
  table = Object.assign({}, ...found);
  locale = language;
  plural = new Intl.PluralRules(language);
  Object.assign(document.documentElement, { lang: language, dir: table.direction });
  return language;
}

/** Load the words of later screens, now and for each language chosen later. */
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
  const text = typeof entry === "string" ? entry : (entry[plural.select(values.n)] ?? entry.other);
  return called === NAME ? text : text.replaceAll(NAME, () => called);
}

/** Return the text of `key` with {names} filled in. */
export const t = (key, values = {}) =>
  pattern(key, values).replace(/\{(\w+)\}/g, (place, name) => (name in values ? number(values[name]) : place));

/** Return the text as a list for a view: values may be nodes. */
export function parts(key, values = {}) {
  return pattern(key, values)
    .split(/\{(\w+)\}/)
    .map((piece, index) => (index % 2 ? number(values[piece]) : piece));
}

/** Return "a, b and c" as a list for a view; `wrap` makes a node of each. */
export function listed(items, wrap = (item) => item) {
  const format = new Intl.ListFormat(locale, { type: "conjunction" });
  let next = 0;
  return format.formatToParts(items.map(String)).map((piece) => (piece.type === "element" ? wrap(items[next++]) : piece.value));
}

/** Return what separates two sentences: nothing in a language whose full stop is as wide as a letter. */
export const gap = () => (locale === "ja" ? "" : " ");

/** Return the own name of a language, as its speakers write it ("Deutsch"), or the name in the language of the page. */
export function languageName(tag, inIts = false) {
  if (tag === "*") return t("home.language.any");
  try {
    const name = new Intl.DisplayNames([inIts ? tag : locale], { type: "language" }).of(tag) ?? tag;
    return inIts ? name.charAt(0).toLocaleUpperCase(tag) + name.slice(1) : name;
  } catch {
    return tag;
  }
}
