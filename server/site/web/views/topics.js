// Change topics while waiting: the search continues meanwhile, and with the new ones after Done. Its age stays.
import { html } from "../html.js";
import { Sheet } from "../parts/sheet.js";
import { takeTyped, Tags } from "../parts/tags.js";
import { send } from "../store.js";
import { t } from "../words.js";

export function Topics({ state: { prefs, form } }) {
  const done = (event) => {
    event.preventDefault();
    if (takeTyped()) send("topics");
  };
  return html`
    <${Sheet} id="change-topics" title=${t("topics.change")}>
      <form class="field" onSubmit=${done}>
        <${Tags} tags=${prefs.tags} problem=${form.problem} pulse=${form.pulse} language=${prefs.language} />
        <button type="submit" class="button primary big wide">${t("topics.done")}</button>
      </form>
    <//>
  `;
}
