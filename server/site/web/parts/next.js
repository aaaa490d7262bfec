// Show the button for the next stranger in its two places: below beside Leave, and on a phone above, away from accidental taps.
import { html } from "../html.js";
import { send } from "../store.js";
import { t } from "../words.js";

export const Next = ({ armed, place }) => html`
  <button
    type="button"
    class=${`button next ${place} ${armed === "next" ? "danger" : ""}`}
    aria-keyshortcuts="Alt+N"
    onClick=${() => send("next")}
  >
    ${t(armed === "next" ? "chat.sure" : "chat.next")}
    <small aria-hidden="true">${t("key.next")}</small>
  </button>
`;
