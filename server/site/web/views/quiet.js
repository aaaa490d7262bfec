// Show that no match came after the last step, in place of the steps and of the usual wait, and offer what may help.
import { Hours } from "../hours.js";
import { html } from "../html.js";
import { Notify } from "../parts/notify.js";
import { Switch } from "../parts/switch.js";
import { send } from "../store.js";
import { t } from "../words.js";

export const Quiet = ({ state }) => html`
  <div class="quiet">
    <p class="strong">${t(state.me.online === 1 && !state.waiting.others ? "wait.alone" : "wait.quiet")}</p>
    ${
      state.config.hours &&
      html`
        <p class="hint"><${Hours} hours=${state.config.hours} /></p>
      `
    }
    <p class="hint">${t("wait.call")}</p>
    <${Switch} id="sound" label=${t("wait.sound")} on=${state.prefs.sounds} set=${(value) => send("pref", { name: "sounds", value })} />
    <${Notify} prefs=${state.prefs} can=${state.can} />
    ${
      state.waiting.others &&
      state.find.language !== "*" &&
      html`
        <button type="button" class="button" onClick=${() => send("widen")}>${t("wait.others")}</button>
      `
    }
  </div>
`;
