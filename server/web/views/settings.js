// Settings, the menu of a chat, and the list of keys. What the browser keeps is said item by item.
import { html } from "../html.js";
import { icon } from "../icons.js";
import { Sheet } from "../parts/sheet.js";
import { Choice, Switch } from "../parts/switch.js";
import { send } from "../store.js";
import { t } from "../words.js";

const set = (name) => (value) => send("pref", { name, value });

const Size = ({ prefs }) => html`
  <${Choice}
    id="size"
    label=${t("more.size")}
    value=${String(prefs.size)}
    set=${(value) => set("size")(Number(value))}
    options=${["100", "115", "130"].map((size) => [size, t(`settings.size.${size}`)])}
  />
`;

function Keeps({ prefs, can }) {
  if (!can.keep)
    return html`
      <p class="hint">${t("settings.refused")}</p>
    `;
  if (prefs.nothing)
    return html`
      <ul class="points small">
        <li>${t("settings.keeps.nothing")}</li>
      </ul>
    `;
  const items = [
    prefs.tags.length && t("settings.keeps.topics", { n: prefs.tags.length }),
    t("settings.keeps.choices"),
    (prefs.adult || prefs.minor) && t("settings.keeps.age"),
    can.cookies && t("settings.keeps.cookie"),
    t("settings.keeps.way"),
  ];
  return html`
    <ul class="points small">
      ${items.filter(Boolean).map(
        (item) => html`
          <li>
            ${icon("check")}
            <span>${item}</span>
          </li>
        `,
      )}
    </ul>
  `;
}

export const Settings = ({ state: { prefs, can, config } }) => html`
  <${Sheet} id="settings" title=${t("settings.title")}>
    <div class="menu">
      <${Choice}
        id="theme"
        label=${t("settings.theme")}
        value=${prefs.theme}
        set=${set("theme")}
        options=${["system", "light", "dark"].map((theme) => [theme, t(`settings.theme.${theme}`)])}
      />
      <${Size} prefs=${prefs} />
      <${Switch} id="sounds" label=${t("more.sounds")} more=${t("settings.sounds.more")} on=${prefs.sounds} set=${set("sounds")} />
      <${Switch} id="auto" label=${t("settings.auto")} more=${t("settings.auto.more")} on=${prefs.auto} set=${set("auto")} />
      ${
        config.video &&
        html`
          <${Switch} id="blur" label=${t("ready.blur")} more=${t("ready.blur.more")} on=${prefs.blur} set=${set("blur")} />
          ${
            config.relay &&
            html`
              <${Switch} id="hide" label=${t("ready.hide")} more=${t("ready.hide.more")} on=${prefs.hide} set=${set("hide")} />
            `
          }
          <${Switch}
            id="letters"
            label=${t("settings.letters")}
            more=${t("settings.letters.more")}
            on=${prefs.letters}
            set=${set("letters")}
          />
        `
      }
      <${Switch} id="confirm" label=${t("settings.confirm")} on=${prefs.confirm} set=${set("confirm")} />
    </div>
    <h2>${t("settings.keeps")}</h2>
    <${Keeps} prefs=${prefs} can=${can} />
    ${
      !can.cookies &&
      html`
        <p class="hint">${t("settings.nocookies")}</p>
      `
    }
    ${
      can.keep &&
      html`
        <${Switch}
          id="nothing"
          label=${t("settings.nothing")}
          more=${t("settings.nothing.more")}
          on=${prefs.nothing}
          set=${(on) => send("nothing", { on })}
        />
      `
    }
    <button type="button" class="button wide" onClick=${() => send("forget")}>${t("settings.forget")}</button>
    ${
      can.install &&
      html`
        <button type="button" class="button wide" onClick=${() => send("install")}>${t("settings.install")}</button>
      `
    }
  <//>
`;

export const More = ({ state: { prefs, config, chat } }) => html`
  <${Sheet} id="more" title=${t("more.title")}>
    <div class="menu">
      <${Switch} id="sounds" label=${t("more.sounds")} on=${prefs.sounds} set=${set("sounds")} />
      <${Size} prefs=${prefs} />
      ${
        config.save &&
        chat?.lines.length > 0 &&
        html`
          <button type="button" onClick=${() => send("sheet", { is: "save" })}>${icon("save")}${t("more.save")}</button>
        `
      }
      <button type="button" onClick=${() => send("sheet", { is: "keys" })}>${icon("keys")}${t("more.keys")}</button>
      <button type="button" onClick=${() => send("sheet", { is: "report" })}>${icon("flag")}${t("chat.report")}</button>
    </div>
  <//>
`;

const KEYS = [
  [["key.enter"], "keys.send"],
  [["key.shift", "key.enter"], "keys.line"],
  [["key.esc", "key.esc"], "keys.leave"],
  [["key.up"], "keys.recall"],
  [["key.esc"], "keys.stop"],
  [["key.enter"], "keys.next"],
];

export const Keys = () => html`
  <${Sheet} id="keys" title=${t("keys.title")}>
    <dl class="keylist">
      ${KEYS.map(
        ([keys, does]) => html`
          <div>
            <dt>
              ${keys.map(
                (key) => html`
                  <kbd>${t(key)}</kbd>
                `,
              )}
            </dt>
            <dd>${t(does)}</dd>
          </div>
        `,
      )}
    </dl>
  <//>
`;
