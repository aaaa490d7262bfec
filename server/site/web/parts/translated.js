// Show the translation under a line: translate it, show the original, translate all.
import { html } from "../html.js";
import { wordy } from "../reduce/translating.js";
import { get, send } from "../store.js";
import { languageName, t } from "../words.js";

/** Return the text beside the button. */
function status({ is, from, why }) {
  if (is === "busy") {
    const { fetched } = get().chat;
    return fetched === null || fetched === undefined ? t("translate.busy") : t("translate.fetching", { n: fetched });
  }
  if (is === "same") return t("translate.same");
  if (is === "failed") return t(`translate.${why}`);
  return t("translate.from", { language: languageName(from) });
}

/** Show one button for all actions, so that it keeps the focus while its action changes. */
function Press({ entry: { key, other } }) {
  const done = other?.is === "done";
  const label = done ? (other.shown ? "translate.original" : "translate.again") : other?.is === "failed" ? "translate.retry" : "translate";
  const press = () => (done ? send("translated.show", { key, on: !other.shown }) : send("translate", { key }));
  return html`
    <button type="button" class="translate" aria-disabled=${other?.is === "busy" ? "true" : null} onClick=${press}>${t(label)}</button>
  `;
}

const answer = (on) => (event) => {
  event.currentTarget.closest("li").querySelector(".translate")?.focus(); // the pressed button disappears
  send("translate.every", { on });
};

/** Ask once per chat whether to translate every line, under the first translated one. */
const Every = () => html`
  <div class="state every">
    <span>${t("translate.ask")}</span>
    <button type="button" onClick=${answer(true)}>${t("translate.yes")}</button>
    <button type="button" onClick=${answer(false)}>${t("translate.no")}</button>
  </div>
`;

export const Translated = ({ entry, asking }) =>
  wordy(entry) &&
  html`
    <div class="state translated">
      ${
        entry.other &&
        html`
          <span>${status(entry.other)}</span>
        `
      }
      <${Press} entry=${entry} />
    </div>
    ${
      asking &&
      html`
        <${Every} />
      `
    }
  `;
