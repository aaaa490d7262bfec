// Suggest topics from a list for each language, which comes with the page. Typed text stays in the browser.
import { useEffect, useState } from "../vendor/hooks.mjs";
import { html } from "../html.js";
import { send } from "../store.js";
import { languagesOfPage, t } from "../words.js";

const SHOWN = 6;
const lists = new Map();

/** Return the list of a language; the page language has the list of one that has none. Empty if it cannot be loaded. */
function listOf(language) {
  const known = languagesOfPage();
  const name = [language.split("-")[0], document.documentElement.lang].find((tag) => known.includes(tag)) ?? "en";
  if (!lists.has(name)) {
    const asked = fetch(new URL(`../topics/${name}.json`, import.meta.url)).then((answer) => (answer.ok ? answer.json() : []));
    lists.set(
      name,
      asked.catch(() => (lists.delete(name), [])),
    );
  }
  return lists.get(name);
}

/** Choose some topics to begin with, others at each visit; typing filters all. */
const first = Math.floor(Math.random() * 1000);
function chosen(all, typed, tags) {
  const wanted = typed.trim().toLocaleLowerCase();
  const taken = new Set(tags.map((tag) => tag.toLocaleLowerCase()));
  const free = all.filter((topic) => !taken.has(topic.toLocaleLowerCase()));
  if (!wanted) return free.map((_, index) => free[(first + index * 7) % free.length]).filter((topic, at, some) => some.indexOf(topic) === at).slice(0, SHOWN);
  const begins = free.filter((topic) => topic.toLocaleLowerCase().startsWith(wanted));
  return [...begins, ...free.filter((topic) => !begins.includes(topic) && topic.toLocaleLowerCase().includes(wanted))].slice(0, SHOWN);
}

export function Ideas({ tags, typed, language, clear }) {
  const [all, set] = useState([]);
  useEffect(() => {
    let here = true;
    void listOf(language).then((list) => here && set(list));
    return () => (here = false);
  }, [language]);
  const some = chosen(all, typed, tags);
  return html`
    <ul class="ideas" aria-label=${t("topics.ideas")} hidden=${!some.length}>
      ${some.map(
        (topic) => html`
          <li key=${topic}>
            <button type="button" onClick=${() => (clear(), send("tag.add", { text: topic }))}>${topic}</button>
          </li>
        `,
      )}
    </ul>
  `;
}
