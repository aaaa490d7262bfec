// Link back to the last chat, while the server knows it: to report it, or to save it.
import { html } from "../html.js";
import { send } from "../store.js";
import { t } from "../words.js";

export const Past = ({ last }) =>
  last &&
  !last.ended.unknown &&
  html`
    <button type="button" class="button plain" id="back" onClick=${() => send("back")}>${t("wait.back")}</button>
  `;
