// Show that the page cannot continue: the chat moved to another tab, the server refuses this user (reason, length, appeal: always all
// three; a button asks the server again, since a ban may be reversed), or a warning has to be read first.
import { dayName } from "../day.js";
import { html } from "../html.js";
import { mark } from "../icons.js";
import { send } from "../store.js";
import { documentAt, t } from "../words.js";

export const Replaced = () => html`
  <main class="notice">
    ${mark()}
    <h1 tabindex="-1">${t("replaced.title")}</h1>
    <button type="button" class="button primary big" onClick=${() => send("here")}>${t("replaced.here")}</button>
  </main>
`;

/** Show that the user's country is not served. */
const Elsewhere = () => html`
  <h1 tabindex="-1">${t("banned.country")}</h1>
  <p>${t("banned.country.why")}</p>
`;

/** Show that an operator ended the session; a new one may begin. */
const Removed = () => html`
  <h1 tabindex="-1">${t("removed.title")}</h1>
  <p>${t("removed.why")}</p>
`;

/** Show a refusal. `until`: seconds since 1970, or an ISO date; absent: permanent. */
export function Refused({ state: { refused, config, link } }) {
  const { code, until, rule, appeal, day: decided, by, network, still } = refused ?? {};
  const day = until && dayName(typeof until === "number" ? until * 1000 : until);
  return html`
    <main class="notice">
      ${mark()}
      ${
        code === "country"
          ? html`<${Elsewhere} />`
          : code === "removed"
          ? html`<${Removed} />`
          : html`<h1 tabindex="-1">${network ? t("banned.network", { date: day }) : day ? t("banned.title", { date: day }) : t("banned.ever")}</h1>`
      }
      ${
        network &&
        html`
          <p>${t("banned.network.why")}</p>
        `
      }
      ${
        rule &&
        html`
          <p>${t("banned.reason", { reason: t(`rule.${rule}`) })}</p>
        `
      }
      ${
        decided &&
        html`
          <p class="muted">${t(`banned.${by}`, { date: dayName(decided) })}</p>
        `
      }
      ${
        appeal &&
        html`
          <a class="button" href=${appeal} rel="noopener">${t("banned.appeal")}</a>
        `
      }
      <button type="button" class="button" id="again" aria-busy=${link.is !== "stopped"} onClick=${() => link.is === "stopped" && send("refused.again")}>
        ${t("banned.again")}
      </button>
      ${
        still &&
        html`
          <p class="muted">${t(still)}</p>
        `
      }
      ${
        config.rights &&
        html`
          <a href=${documentAt("/privacy/request")}>${t("banned.data")}</a>
        `
      }
    </main>
  `;
}

/** Show a warning: its reason, its date, its meaning. One press continues the search. */
export function Unread({ state: { unread } }) {
  const { rule, day, by, appeal } = unread;
  return html`
    <main class="notice" aria-labelledby="unread">
      ${mark()}
      <h1 tabindex="-1" id="unread">${t("unread.title")}</h1>
      <p>${t(`unread.${by}`, { date: dayName(day) })}</p>
      <p><b>${t(`rule.${rule}`)}</b></p>
      <p>${t("unread.means")}</p>
      <p><a href=${appeal} target="_blank" rel="noopener">${t("unread.appeal")}</a></p>
      <button type="button" class="button primary big" id="read" onClick=${() => send("read")}>${t("unread.read")}</button>
    </main>
  `;
}
