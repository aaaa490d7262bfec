// "One moment": the browser solves a puzzle before the search goes on. It can be stopped at any time; where it fails, tried anew.
import { Sheet } from "../parts/sheet.js";
import { html } from "../html.js";
import { send } from "../store.js";
import { t } from "../words.js";

export const Check = ({ state: { check } }) => html`
  <${Sheet} id="check" title=${t("check.title")} cross=${false} shut="check.stop">
    <p>${t(check?.failed ? "check.failed" : "check.text")}</p>
    ${
      !check?.failed &&
      html`
        <progress class="part" aria-label=${t("check.part")} max="1" value=${check?.part ?? 0}></progress>
      `
    }
    <div class="pair">
      ${
        check?.failed &&
        html`
          <button type="button" class="button primary" onClick=${() => send("check.again")}>${t("check.again")}</button>
        `
      }
      <button type="button" class="button" onClick=${() => send("check.stop")}>${t("wait.stop")}</button>
    </div>
  <//>
`;
