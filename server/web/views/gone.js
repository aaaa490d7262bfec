// The page cannot go on here: the chat went on in another tab, or the server refuses this person (reason, length, appeal:
// always all three).
import { html } from "../html.js";
import { mark } from "../icons.js";
import { send } from "../store.js";
import { dayName, t } from "../words.js";

export const Replaced = () => html`
  <main class="notice">
    ${mark()}
    <h1 tabindex="-1">${t("replaced.title")}</h1>
    <button type="button" class="button primary big" onClick=${() => send("here")}>${t("replaced.here")}</button>
  </main>
`;

/** `until`: seconds since 1970, or an ISO date; absent: for good. */
export function Refused({ state: { refused } }) {
  const { until, reason, appeal } = refused ?? {};
  const day = until && dayName(typeof until === "number" ? until * 1000 : until);
  return html`
    <main class="notice">
      ${mark()}
      <h1 tabindex="-1">${day ? t("banned.title", { date: day }) : t("banned.ever")}</h1>
      ${
        reason &&
        html`
          <p>${t("banned.reason", { reason })}</p>
        `
      }
      ${
        appeal &&
        html`
          <a class="button" href=${appeal} rel="noopener">${t("banned.appeal")}</a>
        `
      }
    </main>
  `;
}
