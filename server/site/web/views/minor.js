// Show the end for users under 18: by their own answer, or found by moderators or a program (then with the duration, and how to appeal).
// Without blame.
import { dayName } from "../day.js";
import { html } from "../html.js";
import { mark } from "../icons.js";
import { send } from "../store.js";
import { t } from "../words.js";

/** Show what the server found, by a program or a moderator. */
const Found = ({ refused: { until, appeal } }) => html`
  <p>${t("minor.seems", { date: dayName(until * 1000) })}</p>
  <p>${t("minor.blame")}</p>
  <p><a href=${appeal} rel="noopener">${t("minor.wrong")}</a></p>
`;

export const Minor = ({ state: { refused, config } }) => html`
  <main class="notice">
    ${mark()}
    <h1 tabindex="-1">${t("minor.title")}</h1>
    ${
      refused?.appeal
        ? html`
            <${Found} refused=${refused} />
          `
        : html`
            <p>${refused ? t("minor.told", { date: dayName(refused.until * 1000) }) : t("minor.text")}</p>
          `
    }
    ${
      config.young &&
      html`
        <a class="button" href=${config.young} rel="noopener">${t("minor.places")}</a>
      `
    }
    ${
      !refused &&
      html`
        <button type="button" class="button" onClick=${() => send("home")}>${t("close")}</button>
      `
    }
  </main>
`;
