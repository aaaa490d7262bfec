// Offer to return to the chat that Next left a moment ago.
import { html } from "../html.js";
import { send } from "../store.js";
import { t } from "../words.js";

export const Behind = () => html`
  <button type="button" class="button pill behind" id="back-to-them" aria-keyshortcuts="Alt+B" onClick=${() => send("next.back")}>
    ${t("next.back")}
  </button>
`;
