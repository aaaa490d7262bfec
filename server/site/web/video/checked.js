// What is told of pictures that are checked: before a call, during it, and where there is no video because of them.
import { dayName } from "../day.js";
import { html } from "../html.js";
import { Sheet } from "../parts/sheet.js";
import { send } from "../store.js";
import { documentAt, gap, t } from "../words.js";

/** `checker`: who does it, where it is not this server. */
export const checked = ({ checker }) => (checker ? t("ready.pictures.by", { name: checker }) : t("ready.pictures"));

/** The sentence, and where more is said: in the privacy statement. */
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

/** What, how long, and what there is instead. */
export const NoVideo = ({ state: { sheet } }) => html`
  <${Sheet} id="novideo" title=${sheet.until ? t("novideo.title", { date: dayName(sheet.until) }) : t("novideo.now")}>
    <p>${t("novideo.text")}</p>
    <button type="button" class="button primary wide" id="novideo-text" onClick=${() => send("snaps.text")}>${t("ready.text")}</button>
  <//>
`;
