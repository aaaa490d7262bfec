// Load the list of first lines of a language, which comes with the page; once, when a search begins or a chat needs it.
import { languagesOfPage } from "./words.js";

const lists = new Map();
const NONE = { topic: [], any: [] };

/** Return `{topic, any}`: lines with `{topic}`, and lines for everyone. A language without a list has that of the page. */
export function openersOf(language) {
  const known = languagesOfPage();
  const name = [language.split("-")[0], document.documentElement.lang].find((tag) => known.includes(tag)) ?? "en";
  if (!lists.has(name)) {
    const asked = fetch(new URL(`./openers/${name}.json`, import.meta.url)).then((answer) => (answer.ok ? answer.json() : NONE));
    lists.set(
      name,
      asked.catch(() => (lists.delete(name), NONE)),
    );
  }
  return lists.get(name);
}

/** Return `count` entries of a list from `seed` on, without repetition; another seed gives others. */
export function some(list, seed, count) {
  const step = 37; // no list has a length that it divides
  return Array.from({ length: Math.min(count, list.length) }, (_, index) => list[(seed + index * step) % list.length]);
}
