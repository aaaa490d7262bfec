// The answer to "Under 18".
import { html } from "../html.js";
import { mark } from "../icons.js";
import { send } from "../store.js";
import { t } from "../words.js";

export const Minor = ({ state }) => html`
  <main class="notice">
    ${mark()}
    <h1 tabindex="-1">${t("minor.title")}</h1>
    <p>${t("minor.text")}</p>
    ${
      state.config.young &&
      html`
        <a class="button" href=${state.config.young} rel="noopener">${t("minor.places")}</a>
      `
    }
    <button type="button" class="button" onClick=${() => send("home")}>${t("close")}</button>
  </main>
`;
