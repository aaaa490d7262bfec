// One line of the log. Keyed by its id and never replaced, only marked: a screen reader reads it once.
import { Component } from "../vendor/preact.mjs";
import { html } from "../html.js";
import { send } from "../store.js";
import { blank, clean } from "../text.js";
import { t } from "../words.js";

const speaker = (from) => (from === "me" ? t("chat.you") : from === "them" ? t("chat.stranger") : t("chat.strangern", { n: from }));
const side = (from) => (from === 1 ? "them" : from === 2 ? "two" : from);

export class Line extends Component {
  shouldComponentUpdate({ entry, turn, last, over }) {
    return entry !== this.props.entry || turn !== this.props.turn || last !== this.props.last || over !== this.props.over;
  }

  render({ entry, turn, last, over }) {
    if (entry.from === "note")
      return html`
        <li class="divider">${t(entry.text, entry.values)}</li>
      `;
    const { key, from, text, state, late } = entry;
    return html`
      <li class=${`line ${side(from)} ${turn ? "turn" : ""} ${last ? "last" : ""}`} data-state=${state}>
        <span class=${turn && (from === 1 || from === 2) ? "by" : "hush"}>${t("chat.said", { who: speaker(from) })}</span>
        <div class="bubble" dir="auto">
          ${
            blank(text)
              ? html`
                  <span class="blank">${t("chat.blank")}</span>
                `
              : clean(text)
          }
        </div>
        ${
          late &&
          state === "sending" &&
          html`
            <div class="state">${t("chat.sending")}</div>
          `
        }
        ${
          state === "refused" &&
          html`
            <div class="state bad">
              <span>${t("chat.notsent")}</span>
              ${
                !over &&
                html`
                  <button type="button" onClick=${() => send("retry", { key })}>${t("chat.retry")}</button>
                  <button type="button" onClick=${() => send("delete", { key })}>${t("chat.delete")}</button>
                `
              }
            </div>
          `
        }
      </li>
    `;
  }
}
