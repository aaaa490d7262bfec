// Show the notices about picture checks: before a call, during it, and when there is no video because of them.
import { dayName } from "../day.js";
import { html } from "../html.js";
import { Sheet } from "../parts/sheet.js";
import { send } from "../store.js";
import { documentAt, gap, t } from "../words.js";

/** Return the sentence; `checker`: the company that checks, if it is not this server. */
export const checked = ({ checker }) => (checker ? t("ready.pictures.by", { name: checker }) : t("ready.pictures"));

/** Show the sentence, and a link to the privacy statement. */
export const Checked = ({ config }) => html`
  <p>
    ${checked(config)}${
      config.privacy > 0 &&
      html`
        ${gap()}
        <a href=${documentAt("/privacy")} target="_blank" rel="noopener">${t("ready.pictures.more")}</a>
      `
    }
  </p>
`;

export const Pictures = ({ state: { config } }) => html`
  <${Sheet} id="pictures" title=${t("call.pictures")}>
    <${Checked} config=${config} />
  <//>
`;

/** Show that there is no video, for how long, and the alternative. */
export const NoVideo = ({ state: { sheet } }) => html`
  <${Sheet} id="novideo" title=${sheet.until ? t("novideo.title", { date: dayName(sheet.until) }) : t("novideo.now")}>
    <p>${t("novideo.text")}</p>
    <button type="button" class="button primary wide" id="novideo-text" onClick=${() => send("snaps.text")}>${t("ready.text")}</button>
  <//>
`;
