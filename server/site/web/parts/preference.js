// Share what the settings and the menu of a chat both need: setting a choice, and the text size.
import { html } from "../html.js";
import { send } from "../store.js";
import { t } from "../words.js";
import { Choice } from "./switch.js";

export const set = (name) => (value) => send("pref", { name, value });

export const Size = ({ prefs }) => html`
  <${Choice}
    id="size"
    label=${t("more.size")}
    value=${String(prefs.size)}
    set=${(value) => set("size")(Number(value))}
    options=${["100", "115", "130"].map((size) => [size, t(`settings.size.${size}`)])}
  />
`;
