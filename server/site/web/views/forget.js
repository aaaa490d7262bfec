// Ask before everything in this browser is forgotten: what that cannot delete, since the cookie identifies whose data it is.
import { html } from "../html.js";
import { Sheet } from "../parts/sheet.js";
import { send } from "../store.js";
import { documentAt, t } from "../words.js";

const STAY = ["records", "saved", "reports"];

export const Forget = ({ state: { config } }) => html`
  <${Sheet} id="forget" title=${t("forget.title")}>
    <p>${t("forget.text")}</p>
    <ul class="points small">
      ${STAY.map(
        (what) => html`
          <li>
            <span>${t(`forget.${what}`)}</span>
          </li>
        `,
      )}
    </ul>
    <p>${t("forget.cookie")}</p>
    ${
      config.rights &&
      html`
        <p><a href=${documentAt("/privacy/request#key")}>${t("forget.data")}</a></p>
      `
    }
    <div class="pair">
      <button type="button" class="button" onClick=${() => send("close")}>${t("cancel")}</button>
      <button type="button" class="button" id="forget-go" onClick=${() => send("forget")}>${t("forget.go")}</button>
    </div>
  <//>
`;
