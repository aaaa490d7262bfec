// Show the menu of a call: full screen, picture in picture, the whole picture, volume, devices.
import { html } from "../html.js";
import { icon } from "../icons.js";
import "../icons-rest.js";
import { Sheet } from "../parts/sheet.js";
import { Switch } from "../parts/switch.js";
import { isShown } from "../reduce/video.js";
import { send } from "../store.js";
import { t } from "../words.js";
import { Choices } from "./ready.js";

const then = (act) => () => (send("close"), act());
const floating = () =>
  document
    .getElementById("theirs")
    ?.requestPictureInPicture?.()
    .catch(() => {});

export const CallMenu = ({ state: { video } }) => html`
  <${Sheet} id="call-menu" title=${t("call.menu")}>
    <div class="menu">
      <button type="button" onClick=${then(() => send("full"))}>${icon("full")}${t("call.full")}</button>
      ${
        document.pictureInPictureEnabled &&
        isShown(video) &&
        !video.veil &&
        html`
          <button type="button" onClick=${then(floating)}>${icon("pip")}${t("call.pip")}</button>
        `
      }
      <${Switch} id="whole" label=${t("call.whole")} more=${t("call.whole.more")} on=${video.whole} set=${(on) => send("whole", { on })} />
      <div class="setting">
        <label class="label" for="volume">${t("call.volume")}</label>
        <input
          type="range"
          id="volume"
          min="0"
          max="1"
          step="0.05"
          value=${video.volume}
          onInput=${(event) => send("volume", { value: Number(event.target.value) })}
        />
      </div>
    </div>
    <${Choices} video=${video} />
  <//>
`;
