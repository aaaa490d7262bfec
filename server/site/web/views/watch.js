// Watch a chat as the user who asked the question. No text field, both typing signs, and leaving ends nothing for the two.
import { html } from "../html.js";
import { icon } from "../icons.js";
import { Actions } from "../parts/actions.js";
import { Banner } from "../parts/banner.js";
import { Log } from "../parts/log.js";
import { send } from "../store.js";
import { clean } from "../text.js";
import { t } from "../words.js";
import { tongueOf } from "./chat.js";
import { Reported } from "./report.js";

const endText = ({ cause, who }) => (who ? t("watch.left", { n: who }) : cause === "stranger" ? t("watch.over") : t(`ended.${cause}`));

/** Return the line under the title: which of the two types, or what they know. */
function sub({ chat, ended }) {
  if (ended) return endText(ended);
  const who = [1, 2].filter((n) => chat.typers?.[n]);
  if (who.length === 2) return t("watch.typing.both");
  return who.length ? t("watch.typing", { n: who[0] }) : t("watch.known");
}

const Question = ({ chat }) => html`
  <div class="card bare question">
    <div>
      <p class="small muted">${t("watch.question")}</p>
      <p><b dir="auto">${clean(chat.question ?? "")}</b></p>
    </div>
  </div>
`;

export function Watch({ state }) {
  const { chat, ended, armed } = state;
  const afresh = html`
    <button type="button" class="button big other" onClick=${() => send("sheet", { is: "ask" })}>${t("watch.new")}</button>
  `;
  const tail = ended
    ? html`
        <div class="divider over">
          <p>${endText(ended)}</p>
          ${
            ended.reported &&
            html`
              <${Reported} ended=${{ ...ended, cause: null }} />
            `
          }
        </div>
      `
    : null;
  const pill = (fresh, toEnd) => html`
    <div class="deck">
      ${
        fresh > 0 &&
        html`
          <button type="button" class="button pill" onClick=${toEnd}>${icon("down")}${t("chat.new", { n: fresh })}</button>
        `
      }
      <div>
        ${
          ended
            ? html`
                <button type="button" class="button primary big first" id="meet" onClick=${({ detail }) => send("again", { key: !detail })}>${t("watch.again")}</button>
                ${afresh}
                <button type="button" class="button other" onClick=${() => send("home")}>${t("watch.home")}</button>
              `
            : html`
                <button
                  type="button"
                  class=${`button big first ${armed ? "danger" : ""}`}
                  id="unwatch"
                  onClick=${() => send("unwatch")}
                >
                  ${t(armed ? "chat.sure" : "watch.stop")}
                </button>
                ${afresh}
              `
        }
      </div>
    </div>
  `;
  return html`
    <main class=${`room watching ${ended ? "ended" : "chatting"}`}>
      <div class="roomtop">
        <div class="bar">
          <div>
            <div class="who">
              <h1 tabindex="-1">${t("watch.title")}</h1>
              <p>${sub(state)}</p>
            </div>
            <${Actions} reported=${!!ended?.reported} unknown=${!!ended?.unknown} />
          </div>
        </div>
        <${Banner} state=${state} />
      </div>
      <${Log}
        key=${chat.id}
        chat=${chat}
        head=${html`
          <${Question} chat=${chat} />
        `}
        tail=${tail}
        typing=${chat.typing}
        pill=${pill}
        tongue=${tongueOf(state)}
      />
    </main>
  `;
}
