// Show what can be done while waiting: the usual wait, other topics, and whether to be notified.
import { useEffect, useState } from "../vendor/hooks.mjs";
import { html } from "../html.js";
import { icon } from "../icons.js";
import "../icons-rest.js";
import { send } from "../store.js";
import { openersOf, some } from "../openers.js";
import { languageName, t } from "../words.js";

const LEAST = 2; // seconds below which the wait is not shown

/** Ask once about notifications, at the first wait. */
const Calling = () => html`
  <div class="quiet" id="calling">
    <p>${t("calling.ask")}</p>
    <div class="pair">
      <button type="button" class="button" onClick=${() => send("called", { on: false })}>${t("calling.no")}</button>
      <button type="button" class="button" onClick=${() => send("called", { on: true })}>${t("calling.yes")}</button>
    </div>
  </div>
`;

const TURN = 5000; // ms that a question is shown

/** Turn over questions to think about, one each five seconds; a press keeps the present one. */
function Asking({ language }) {
  const [list, set] = useState([]);
  const [at, turn] = useState(0);
  const [held, hold] = useState(false);
  useEffect(() => {
    let here = true;
    void openersOf(language).then(({ any }) => here && set(some(any, Math.floor(Math.random() * any.length), any.length)));
    return () => (here = false);
  }, [language]);
  useEffect(() => {
    if (held || list.length < 2) return undefined;
    const timer = setInterval(() => document.hidden || turn((now) => (now + 1) % list.length), TURN);
    return () => clearInterval(timer);
  }, [held, list]);
  return html`
    <button type="button" class="asking" aria-pressed=${held ? "true" : "false"} title=${t("wait.hold")} onClick=${() => hold(!held)} hidden=${!list.length}>
      <small>${t("wait.think")}</small>
      <span key=${at} dir="auto">${list[at]}</span>
    </button>
  `;
}

/** Say how many talk in the language of this search. */
const Talking = ({ status, language }) => {
  const n = status?.talking?.[language.split("-")[0]] ?? 0;
  return (
    n > 1 &&
    html`
      <p class="hint" id="talking">${t("wait.talking", { n, language: languageName(language) })}</p>
    `
  );
};

/** Return the usual wait in seconds, as long as it can be true: not for other ways to meet, nor when it is quiet or the wait is longer. */
function usualOf({ find, status, waiting, now }) {
  const usual = status?.usual?.[find.mode] ?? 0;
  const waited = waiting ? (now - waiting.since) / 1000 : 0;
  return waiting?.quiet || find.extra?.role || find.extra?.college || find.extra?.call !== undefined || waited > usual ? 0 : usual;
}

export function Meanwhile({ state }) {
  const { find, status, prefs, waiting, elsewhere, reads, behind, calls } = state;
  const first = !!behind?.token || Object.keys(calls).length > 0; // something to answer now
  const usual = usualOf(state);
  return html`
    <div class="meanwhile">
      <${Asking} language=${find.language === "*" ? reads : find.language} />
      ${find.language !== "*" && html`<${Talking} status=${status} language=${find.language} />`}
      ${elsewhere && html`<p class="hint" id="elsewhere">${t("wait.elsewhere")}</p>`}
      ${
        usual >= LEAST &&
        html`
          <p class="hint" id="usual">${t("topics.usual", { n: usual })}</p>
        `
      }
      ${
        !find.extra?.role &&
        find.extra?.call === undefined &&
        html`
          <button type="button" class="button plain" id="topics-change" onClick=${() => send("sheet", { is: "topics" })}>
            ${icon("edit")}${t(find.interests.length ? "topics.change" : "topics.add")}
          </button>
        `
      }
      ${!prefs.called && !waiting?.quiet && !first && html`<${Calling} />`}
    </div>
  `;
}
