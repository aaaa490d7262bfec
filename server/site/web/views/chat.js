// Show a chat and its end: one view, so that the log stays the same node when the chat is over.
import { Face, hueOf, nameOf, partnerFace } from "../face.js";
import { html } from "../html.js";
import { icon } from "../icons.js";
import { Actions } from "../parts/actions.js";
import { Banner } from "../parts/banner.js";
import { Card } from "../parts/card.js";
import { Composer } from "../parts/composer.js";
import { laterPiece } from "../parts/later.js";
import { Behind } from "../parts/behind.js";
import { Log } from "../parts/log.js";
import { Next } from "../parts/next.js";
import { Openers } from "../parts/openers.js";
import { areAsked } from "../reduce/photos.js";
import { send } from "../store.js";
import { clean } from "../text.js";
import { t } from "../words.js";
import { Deck, Tail } from "./ended.js";

const PhotoAsk = laterPiece(() => import("../parts/photo.js"), "PhotoAsk");
const Stage = laterPiece(() => import("../video/stage.js"), "Stage");
const Quality = laterPiece(() => import("../video/told.js"), "Quality");
const Gives = laterPiece(() => import("../video/told.js"), "Gives");

/** Show the line under the title, by precedence. */
function Sub({ chat, now, video, apart }) {
  if (apart) return t("chat.apart");
  if (chat.away) return t("chat.away", { n: Math.max(0, Math.ceil((chat.away - now) / 1000)) });
  if (chat.typing) return t("chat.typing");
  if (video)
    return html`
      <${Quality} video=${video} />
      ${" "}
      <${Gives} video=${video} />
    `;
  return chat.college ? t("chat.college", { college: clean(chat.college) }) : t(chat.role === "discuss" ? "chat.along" : "chat.connected");
}

/** Return the language of the partner's lines, `*` if unknown; null if it is the language of the page, or translation is not possible. */
export const tongueOf = ({ chat: { language }, config, can, reads, prefs }) =>
  language && (language === "*" || ![reads, prefs.language].includes(language)) && (can.translate || config.translation) ? language : null;

/** Return the language of this user's own lines. */
const spoken = ({ find, prefs, reads }) => {
  const language = find?.language ?? prefs.language;
  return language === "*" ? reads : language;
};

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
  ${
    !state.ended &&
    !state.chat.lines.some(({ from }) => from === "me") &&
    html`
      <${Openers} chat=${state.chat} language=${spoken(state)} />
    `
  }
  <p class="aside">${t(state.config.save ? "chat.careful" : "chat.careful.plain")}</p>
`;

export function Chat({ state }) {
  const { chat, ended, now, armed, prefs, link } = state;
  const face = partnerFace(chat);
  const apart = !link.settled && (!state.online || (link.since > 0 && now - link.since >= 1000)); // as in the banner
  const tail = ended
    ? html`
        <${Tail} ended=${ended} config=${state.config} code=${state.refused?.code} />
      `
    : null;
  const pill = (fresh, toEnd) => html`
    <div class="deck">
      ${
        state.behind?.token &&
        html`
          <${Behind} />
        `
      }
      ${
        armed === "swipe"
          ? html`
              <p class="button pill" aria-hidden="true">${t("chat.swipe")}</p>
            `
          : fresh > 0 &&
            html`
              <button type="button" class="button pill" onClick=${toEnd}>${icon("down")}${t("chat.new", { n: fresh })}</button>
            `
      }
      ${
        ended &&
        html`
          <div><${Deck} state=${state} /></div>
        `
      }
      ${
        !ended &&
        areAsked(chat) &&
        html`
          <${PhotoAsk} chat=${chat} />
        `
      }
      <${Composer} key=${chat.id} chat=${chat} armed=${armed} confirm=${prefs.confirm} over=${!!ended} />
    </div>
  `;
  const room = html`
    <main class=${`room ${ended ? "ended" : "chatting"}`} data-tone=${chat.tone ?? 0} data-hue=${hueOf(face)}>
      <div class="roomtop">
        <div class="bar">
          <div>
            <${Face} face=${face} />
            <div class="who">
              <h1 tabindex="-1">${nameOf(face)}</h1>
              <p class=${!ended && chat.away ? "away" : ""}>
                ${
                  ended
                    ? t(`ended.${ended.cause}`)
                    : html`
                        <${Sub} chat=${chat} now=${now} video=${chat.call && state.video} apart=${apart} />
                      `
                }
              </p>
            </div>
            ${
              !ended &&
              html`
                <${Next} armed=${armed} place="high" />
              `
            }
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
        tongue=${tongueOf(state)}
      />
    </main>
  `;
  const on = chat.call && !ended;
  // After the end of a call the chat is like any other: the stage is removed, the room has the whole window, the log stays as it is.
  return chat.call || chat.hung
    ? html`
        <div class=${on ? "call" : ""} data-open=${state.video.open ? "" : null} data-full=${on && state.video.full ? "" : null}>
          ${
            on &&
            html`
              <${Stage} state=${state} />
            `
          }
          ${room}
        </div>
      `
    : room;
}
