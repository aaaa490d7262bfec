// Switch notifications on: only this press asks the browser. If the browser refuses, the switch stays off and says so.
import { html } from "../html.js";
import { send } from "../store.js";
import { t } from "../words.js";
import { Switch } from "./switch.js";

export const Notify = ({ prefs, can }) =>
  can.notify &&
  html`
    <${Switch}
      id="notify"
      label=${t("calling.notify")}
      more=${t(can.notify === "denied" ? "calling.blocked" : "calling.notify.more")}
      on=${prefs.notify && can.notify === "granted"}
      set=${(on) => send("notify", { on })}
    />
  `;
