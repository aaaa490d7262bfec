// Show the menu of a chat, and the list of keys.
import { html } from "../html.js";
import { icon } from "../icons.js";
import "../icons-rest.js";
import { Notify } from "../parts/notify.js";
import { PhotoMenu } from "../parts/photo.js";
import { Keep, mayKeep } from "../parts/pairs.js";
import { set, Size } from "../parts/preference.js";
import { Sheet } from "../parts/sheet.js";
import { OwnText } from "../parts/text.js";
import { Switch } from "../parts/switch.js";
import { BOUNDS } from "../client/protocol.js";
import { send } from "../store.js";
import { clean } from "../text.js";
import { t } from "../words.js";
import { tongueOf } from "./chat.js";

/** Offer to block the stranger; one without a cookie cannot be recognised later. */
const Block = ({ chat: { blocked } }) =>
  blocked
    ? html`
        <p class="small" id="blocked" tabindex="-1">${t(`more.blocked.${blocked}`)}</p>
      `
    : html`
        <button type="button" id="block" onClick=${() => send("block")}>${icon("block")}${t("more.block")}</button>
      `;

/** Whether the partner can still be reported: for ten minutes after the chat. */
const named = ({ chat, ended, now }) =>
  chat && chat.role !== "spy" && (!ended || (!ended.unknown && now - ended.at < BOUNDS.pastFor * 1000));

/** Whether the server still knows the chat before this one. */
const before = ({ phase, last, now }) => phase === "chat" && last && !last.ended.unknown && now - last.ended.at < BOUNDS.pastFor * 1000;

const SHOWN = 3; // of its lines: enough to recognise it

export const Last = ({ state: { last, config, now } }) =>
  last &&
  html`
    <${Sheet} id="last" title=${t("more.last.title")}>
      <ul class="excerpt">
        ${last.chat.lines
          .filter(({ from }) => from !== "note" && from !== "photo")
          .slice(-SHOWN)
          .map(
            ({ key, from, text }) => html`
              <li key=${key}>
                <span class="muted">${t("chat.said", { who: t(from === "me" ? "chat.you" : "chat.stranger") })}</span>
                <span dir="auto">${clean(text)}</span>
              </li>
            `,
          )}
      </ul>
      <div class="menu">
        ${
          config.save &&
          last.chat.lines.length > 0 &&
          html`
            <button type="button" onClick=${() => send("sheet", { is: "save", last: true })}>${icon("save")}${t("more.save")}</button>
          `
        }
        ${
          last.chat.lines.length > 0 &&
          html`
            <${OwnText} chat=${last.chat} now=${now} />
          `
        }
        ${
          !last.ended.reported &&
          html`
            <button type="button" onClick=${() => send("sheet", { is: "report", last: true })}>${icon("flag")}${t("chat.report")}</button>
          `
        }
      </div>
    <//>
  `;

export const More = ({ state }) => {
  const { prefs, config, chat } = state;
  return html`
    <${Sheet} id="more" title=${t("more.title")}>
      <div class="menu">
        <${Switch} id="sounds" label=${t("more.sounds")} on=${prefs.sounds} set=${set("sounds")} />
        ${
          chat &&
          tongueOf(state) &&
          html`
            <${Switch} id="every" label=${t("more.translate")} on=${!!chat.every} set=${(on) => send("translate.every", { on })} />
          `
        }
        <${Notify} prefs=${prefs} can=${state.can} />
        <${Size} prefs=${prefs} />
        ${
          state.phase === "chat" &&
          html`
            <${PhotoMenu} chat=${chat} />
          `
        }
        ${
          config.save &&
          chat?.lines.length > 0 &&
          html`
            <button type="button" onClick=${() => send("sheet", { is: "save" })}>${icon("save")}${t("more.save")}</button>
          `
        }
        ${
          chat?.lines.length > 0 &&
          html`
            <${OwnText} chat=${chat} now=${state.now} />
          `
        }
        <button type="button" onClick=${() => send("sheet", { is: "keys" })}>${icon("keys")}${t("more.keys")}</button>
        ${
          named(state) &&
          mayKeep(state) &&
          html`
            <${Keep} chat=${chat} />
          `
        }
        ${
          named(state) &&
          html`
            <${Block} chat=${chat} />
          `
        }
        <button type="button" onClick=${() => send("sheet", { is: "report" })}>${icon("flag")}${t("chat.report")}</button>
        ${
          before(state) &&
          html`
            <button type="button" id="before" onClick=${() => send("sheet", { is: "last" })}>${icon("back")}${t("more.last")}</button>
          `
        }
      </div>
    <//>
  `;
};

const KEYS = [
  [["key.enter"], "keys.send"],
  [["key.shift", "key.enter"], "keys.line"],
  [["key.esc", "key.esc"], "keys.leave"],
  [["key.next"], "keys.onward"],
  [["key.back"], "keys.back"],
  [["key.quote"], "keys.quote"],
  [["key.react"], "keys.react"],
  [["key.photo"], "keys.photo"],
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
