// Offer to return to the chat that Next left a moment ago.
import { html } from "../html.js";
import { send } from "../store.js";
import { t } from "../words.js";

/** `kind`: classes of the button. */
export const Behind = ({ id = "back-to-them", kind = "button pill" }) => html`
  <button type="button" class=${`${kind} behind`} id=${id} aria-keyshortcuts="Alt+B" onClick=${() => send("next.back")}>
    ${t("next.back")}
  </button>
`;
