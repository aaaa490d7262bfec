// Chat and its end: one view, so that the log stays the same node when the chat is over.
import { html } from "../html.js";
import { icon } from "../icons.js";
import { Actions } from "../parts/actions.js";
import { Banner } from "../parts/banner.js";
import { Card } from "../parts/card.js";
import { Composer } from "../parts/composer.js";
import { laterPiece } from "../parts/later.js";
import { Log } from "../parts/log.js";
import { send } from "../store.js";
import { clean } from "../text.js";
import { t } from "../words.js";

const Reported = laterPiece(() => import("./report.js"), "Reported");
const Stage = laterPiece(() => import("../video/stage.js"), "Stage");
const Quality = laterPiece(() => import("../video/stage.js"), "Quality");

/** The line under the title, in its order of precedence. */
function Sub({ chat, now, video, apart }) {
  if (apart) return t("chat.apart");
  if (chat.away) return t("chat.away", { n: Math.max(0, Math.ceil((chat.away - now) / 1000)) });
  if (chat.typing) return t("chat.typing");
  if (video)
    return html`
      <${Quality} video=${video} />
    `;
  return chat.college ? t("chat.college", { college: clean(chat.college) }) : t(chat.role === "discuss" ? "chat.along" : "chat.connected");
}

const Head = ({ state }) => html`
  ${
    state.chat.question &&
    html`
      <div class="card bare question">
        <div>
          <p class="small muted">${t("chat.question")}</p>
          <p><b dir="auto">${clean(state.chat.question)}</b></p>
        </div>
      </div>
    `
  }
  ${
    !(state.chat.question && !state.chat.common.length) &&
    html`
      <${Card} chat=${state.chat} mine=${state.find?.language ?? state.prefs.language} />
    `
  }
  <p class="aside">${t(state.config.save ? "chat.careful" : "chat.careful.plain")}</p>
`;

const endText = ({ cause }) => t(`ended.${cause}`);

const Tail = ({ ended, config, code }) => html`
  <div class="divider over">
    <p>${endText(ended)}</p>
    ${
      ended.reported &&
      html`
        <${Reported} ended=${ended} />
      `
    }
    ${
      ended.cause === "moderation" &&
      config.appeal &&
      html`
        <p><a href=${config.appeal}>${t("ended.why")}</a></p>
      `
    }
    ${
      ended.cause === "broken" &&
      code &&
      html`
        <p class="muted">${t("ended.code", { code: String(code) })}</p>
      `
    }
  </div>
`;

function EndedDeck({ state }) {
  const { ended, config, saved } = state;
  if (ended.cause === "broken")
    return html`
      <button type="button" class="button primary big first" id="meet" onClick=${() => send("reload")}>${t("ended.reload")}</button>
    `;
  const counting = ended.count !== null;
  return html`
    <button
      type="button"
      class="button primary big first"
      id="meet"
      onKeyDown=${({ key }) => key.length === 1 && key !== " " && send("ended.typed")}
      onClick=${({ detail }) => send("meet", { key: !detail })}
    >
      ${
        counting
          ? html`
              <span>${t("ended.next", { n: ended.count })}</span>
            `
          : t("ended.meet")
      }
    </button>
    ${
      counting &&
      html`
        <button type="button" class="button big halt" onClick=${() => send("count.stop")}>${t("ended.stop")}</button>
      `
    }
    ${
      config.save &&
      !ended.unknown &&
      state.chat?.lines.length > 0 &&
      html`
        <button type="button" class="button other" onClick=${() => send("sheet", { is: "save" })}>
          ${icon(saved ? "check" : "save")}${t("ended.save")}
        </button>
      `
    }
    <button type="button" class="button other" onClick=${() => send("home")}>${t("ended.topics")}</button>
  `;
}

export function Chat({ state }) {
  const { chat, ended, now, armed, prefs, link } = state;
  const apart = !link.settled && (!state.online || (link.since > 0 && now - link.since >= 1000)); // as the banner says
  const tail = ended
    ? html`
        <${Tail} ended=${ended} config=${state.config} code=${state.refused?.code} />
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
      ${
        ended &&
        html`
          <div><${EndedDeck} state=${state} /></div>
        `
      }
      <${Composer} key=${chat.id} chat=${chat} armed=${armed} confirm=${prefs.confirm} over=${!!ended} />
    </div>
  `;
  const room = html`
    <main class=${`room ${ended ? "ended" : "chatting"}`}>
      <div class="roomtop">
        <div class="bar">
          <div>
            <div class="who">
              <h1 tabindex="-1">${t("chat.stranger")}</h1>
              <p class=${!ended && chat.away ? "away" : ""}>
                ${
                  ended
                    ? endText(ended)
                    : html`
                        <${Sub} chat=${chat} now=${now} video=${chat.call && state.video} apart=${apart} />
                      `
                }
              </p>
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
          <${Head} state=${state} />
        `}
        tail=${tail}
        typing=${chat.typing}
        pill=${pill}
      />
    </main>
  `;
  // A call that is over is a conversation like any other: the stage goes, the room has all of the window, its log stays as it is.
  return chat.call
    ? html`
        <div class=${ended ? "" : "call"} data-open=${state.video.open ? "" : null}>
          ${
            !ended &&
            html`
              <${Stage} state=${state} />
            `
          }
          ${room}
        </div>
      `
    : room;
}
