// Show what can be done while waiting: the usual wait, other topics, and whether to be notified.
import { html } from "../html.js";
import { icon } from "../icons.js";
import "../icons-rest.js";
import { send } from "../store.js";
import { t } from "../words.js";

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

export function Meanwhile({ state: { find, status, prefs, waiting, elsewhere } }) {
  const usual = waiting?.quiet || find.extra?.role || find.extra?.college ? 0 : status?.usual?.[find.mode];
  return html`
    <div class="meanwhile">
      ${elsewhere && html`<p class="hint" id="elsewhere">${t("wait.elsewhere")}</p>`}
      ${
        usual >= LEAST &&
        html`
          <p class="hint" id="usual">${t("topics.usual", { n: usual })}</p>
        `
      }
      ${
        !find.extra?.role &&
        html`
          <button type="button" class="button plain" id="topics-change" onClick=${() => send("sheet", { is: "topics" })}>
            ${icon("edit")}${t(find.interests.length ? "topics.change" : "topics.add")}
          </button>
        `
      }
      ${!prefs.called && !waiting?.quiet && html`<${Calling} />`}
    </div>
  `;
}
