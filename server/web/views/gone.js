// The page cannot go on here: the chat went on in another tab, or the server refuses this person (reason, length, appeal:
// always all three).
import { html } from "../html.js";
import { mark } from "../icons.js";
import { send } from "../store.js";
import { t } from "../words.js";

export const Replaced = () => html`
  <main class="notice">
    ${mark()}
    <h1 tabindex="-1">${t("replaced.title")}</h1>
    <button type="button" class="button primary big" onClick=${() => send("here")}>${t("replaced.here")}</button>
  </main>
`;

/** A day in the page's language, as it is written where the person lives ("3 December 2026"). */
function dayName(when) {
  const { lang } = document.documentElement;
  const place = navigator.languages.find((tag) => tag.split("-")[0] === lang) ?? lang;
  return new Date(when).toLocaleDateString(place, { day: "numeric", month: "long", year: "numeric" });
}

/** `until`: seconds since 1970, or an ISO date; absent: for good. */
export function Refused({ state: { refused, config } }) {
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
      ${
        config.rights &&
        html`
          <a href="/privacy/request">${t("banned.data")}</a>
        `
      }
    </main>
  `;
}
