// Show the settings. Each stored item is listed.
import { html } from "../html.js";
import { icon } from "../icons.js";
import { Sheet } from "../parts/sheet.js";
import { Notify } from "../parts/notify.js";
import { laterPiece } from "../parts/later.js";
import { Choice, Switch } from "../parts/switch.js";
import { set, Size } from "../parts/preference.js";
import { send } from "../store.js";
import { languageName, languagesOfPage, t } from "../words.js";

const PairList = laterPiece(() => import("../parts/pairs.js"), "PairList");

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
    prefs.pairs.length && t("settings.keeps.pairs", { n: prefs.pairs.length }),
    prefs.avoid.length && t("settings.keeps.avoid", { n: prefs.avoid.length }),
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

/** Return the languages by their own names; "" leaves it to the browser. */
const wordsOf = () => [["", t("settings.words.browser")], ...languagesOfPage().map((tag) => [tag, languageName(tag, true)])];

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
      ${
        languagesOfPage().length > 1 &&
        html`
          <${Choice} id="words" label=${t("settings.words")} value=${prefs.words} set=${set("words")} options=${wordsOf()} />
        `
      }
      <${Size} prefs=${prefs} />
      <${Switch} id="sounds" label=${t("more.sounds")} more=${t("settings.sounds.more")} on=${prefs.sounds} set=${set("sounds")} />
      <${Notify} prefs=${prefs} can=${can} />
      <${Switch} id="auto" label=${t("settings.auto")} more=${t("settings.auto.more")} on=${prefs.auto} set=${set("auto")} />
      ${
        config.video &&
        html`
          <${Switch} id="hush" label=${t("curtain.hush")} more=${t("curtain.hush.more")} on=${prefs.hush} set=${set("hush")} />
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
      <${Switch} id="sure" label=${t("settings.sure")} more=${t("settings.sure.more")} on=${prefs.sure} set=${set("sure")} />
      <${Switch} id="confirm" label=${t("settings.confirm")} on=${prefs.confirm} set=${set("confirm")} />
    </div>
    <h2>${t("settings.keeps")}</h2>
    <${Keeps} prefs=${prefs} can=${can} />
    ${
      prefs.pairs.length > 0 &&
      html`
        <${PairList} prefs=${prefs} />
      `
    }
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
    <button type="button" class="button wide" onClick=${() => send("sheet", { is: "forget" })}>${t("settings.forget")}</button>
    ${
      can.install &&
      html`
        <button type="button" class="button wide" onClick=${() => send("install")}>${t("settings.install")}</button>
      `
    }
  <//>
`;
