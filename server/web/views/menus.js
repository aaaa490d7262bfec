// The menu of a chat, and the list of keys.
import { html } from "../html.js";
import { icon } from "../icons.js";
import "../icons-rest.js";
import { set, Size } from "../parts/preference.js";
import { Sheet } from "../parts/sheet.js";
import { Switch } from "../parts/switch.js";
import { BOUNDS } from "../protocol.js";
import { send } from "../store.js";
import { t } from "../words.js";

/** Of a stranger without a cookie nothing is known when they come again. */
const Block = ({ chat: { blocked } }) =>
  blocked
    ? html`
        <p class="small" id="blocked" tabindex="-1">${t(`more.blocked.${blocked}`)}</p>
      `
    : html`
        <button type="button" id="block" onClick=${() => send("block")}>${icon("block")}${t("more.block")}</button>
      `;

/** Whom the chat was with can be named for ten minutes after it. */
const named = ({ chat, ended, now }) =>
  chat && chat.role !== "spy" && (!ended || (!ended.unknown && now - ended.at < BOUNDS.pastFor * 1000));

export const More = ({ state }) => {
  const { prefs, config, chat } = state;
  return html`
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
        ${
          named(state) &&
          html`
            <${Block} chat=${chat} />
          `
        }
        <button type="button" onClick=${() => send("sheet", { is: "report" })}>${icon("flag")}${t("chat.report")}</button>
      </div>
    <//>
  `;
};

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
