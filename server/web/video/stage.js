// The stage: the stranger large, oneself small, the card before one looks, and the rail. Always dark, in either theme.
import { useEffect, useLayoutEffect, useRef, useState } from "../vendor/hooks.mjs";
import { html } from "../html.js";
import { icon } from "../icons.js";
import "../icons-rest.js";
import { send } from "../store.js";
import { clean } from "../text.js";
import { listed, parts, t } from "../words.js";
import { Theirs } from "./picture.js";
import { Problem } from "./ready.js";
import { Small } from "./small.js";

const LINES = 2; // last messages over the picture, on a phone
const LINGER = 8000; // ms

const disc = (label, name, act, { pressed = null, off = false, badge = 0, id = null } = {}) => html`
  <button type="button" class="disc" id=${id} aria-label=${label} title=${label} aria-pressed=${pressed} onClick=${act}>
    ${icon(name)}${off && icon("off", "strike")}${
      badge > 0 &&
      html`
        <b class="badge" aria-hidden="true">${badge}</b>
      `
    }
  </button>
`;

/** Before one looks, with the focus; and again wherever one looks away, without it: keys go on to where they went. */
function Gate({ common, looked }) {
  const first = useRef(null);
  useLayoutEffect(() => looked || first.current.focus({ preventScroll: true }), []);
  const bold = (word) => html`
    <b dir="auto">${clean(word)}</b>
  `;
  const both = common.length > 0 && [...parts("chat.both", { topics: listed(common, bold) }), " "];
  return html`
    <div class="gate">
      <h2>${t(looked ? "call.blurred" : "call.here")}</h2>
      <p>
        ${
          looked
            ? t("call.blurred.more")
            : html`
                ${both}${t("call.maysee")}
              `
        }
      </p>
      <button type="button" class="button primary" id="show" ref=${first} onClick=${() => send("show")}>${t("call.show")}</button>
      <button type="button" class="button" onClick=${() => send("next", { sure: true })}>${t("call.next")}</button>
    </div>
  `;
}

/** What is not as it should be, in one line; what can be done about it, beside it. */
function Trouble({ video, relay }) {
  if (video.slow === 2) {
    return html`
      <div class="told">
        <p>${t("call.late")}</p>
        <div class="row">
          ${
            relay &&
            html`
              <button type="button" class="button" onClick=${() => send("call.relay")}>${t("call.relay")}</button>
            `
          }
          <button type="button" class="button" onClick=${() => send("next", { sure: true })}>${t("call.next")}</button>
        </div>
      </div>
    `;
  }
  if (video.link === "paused")
    return html`
      <p class="told">${t("call.paused")}</p>
    `;
  if (video.slow === 1 && video.link !== "live")
    return html`
      <p class="told">${t("call.connecting")}</p>
    `;
  if (video.link === "live" && !video.theirs.camera)
    return html`
      <p class="told">${t("call.camera.off")}</p>
    `;
  if (video.silent && !video.blurred)
    return html`
      <button
        type="button"
        class="told"
        onClick=${() =>
          document
            .getElementById("theirs")
            ?.play()
            .then(
              () => send("call.silent", { on: false }),
              () => {},
            )}
      >
        ${t("call.silent")}
      </button>
    `;
  return null;
}

/** The last lines over the picture, for a while; the log itself is read aloud. */
function Fleeting({ lines }) {
  const [upTo, hide] = useState(0);
  useEffect(() => {
    const timer = setTimeout(() => hide(lines.length), LINGER);
    return () => clearTimeout(timer);
  }, [lines.length]);
  return html`
    <ul class="fleeting" aria-hidden="true">
      ${lines
        .slice(Math.max(upTo, lines.length - LINES))
        .filter(({ from }) => from !== "note")
        .map(
          ({ key, from, text }) => html`
            <li key=${key} class=${from} dir="auto">${clean(text)}</li>
          `,
        )}
    </ul>
  `;
}

function Rail({ state: { video, chat, armed } }) {
  const { on } = video;
  const toggle = (kind, name, key, live, id) =>
    disc(t(key), name, () => send("toggle", { kind }), { pressed: String(!live), off: !live, id });
  const fresh = video.open ? 0 : chat.lines.slice(video.seen).filter(({ from }) => from === "them").length;
  const messages = fresh ? t("call.messages.new", { n: fresh }) : t("call.messages");
  return html`
    <div class="rail" role="toolbar" aria-label=${t("call.rail")}>
      ${toggle("microphone", "mic", on.microphone ? "call.mute" : "call.unmute", on.microphone, "mute")}
      ${toggle("camera", "video", on.camera ? "call.cameraoff" : "call.cameraon", on.camera, "camera")}
      ${video.devices.cameras.length > 1 && disc(t("call.flip"), "flip", () => send("camera.next"))}
      ${disc(messages, "chat", () => send("messages", { open: !video.open }), { badge: fresh, pressed: String(video.open), id: "messages" })}
      <button
        type="button"
        class=${`disc next ${armed === "next" ? "armed" : ""}`}
        id="next"
        title=${t("chat.next")}
        aria-keyshortcuts="Alt+N"
        onClick=${() => send("next")}
      >
        ${icon("next")}
        <span class=${armed === "next" ? "sure" : "hush"}>${t(armed === "next" ? "chat.sure" : "chat.next")}</span>
      </button>
      <button type="button" class="hangup" id="hangup" onClick=${() => send("leave")}>${t(armed === "leave" ? "chat.sure" : "chat.leave")}</button>
    </div>
  `;
}

/** How the picture is, in a few words. */
export function Quality({ video: { link, slow, blurred, theirs, quality } }) {
  if (link !== "live") return t(slow === 2 ? "call.none" : "call.connecting");
  if (blurred) return t("call.blurred.short");
  return theirs.microphone ? t(`call.quality.${quality ?? "good"}`) : t("call.muted");
}

export function Stage({ state }) {
  const { video, chat, sheet, config, armed } = state;
  const hidden = video.blurred || sheet?.is === "report";
  return html`
    <section class="stage" aria-label=${t("call.theirs")}>
      <div class="frame">
        <${Theirs}
          serial=${video.remote}
          hidden=${hidden}
          off=${!video.theirs.camera}
          whole=${video.whole}
          volume=${video.volume}
          speaker=${video.chosen.speaker}
        />
        <div class="over-bar">
          <p class="name" aria-hidden="true">
            ${t("chat.stranger")}
            <small><${Quality} video=${video} /></small>
          </p>
          <button
            type="button"
            class="disc low"
            id="blur-now"
            aria-label=${t("call.blur")}
            title=${t("call.blur")}
            aria-disabled=${video.blurred ? "true" : null}
            onClick=${() => send("blur")}
          >
            ${icon("nobody")}
          </button>
          <button type="button" class="disc low" aria-label=${t("call.menu")} title=${t("call.menu")} onClick=${() => send("sheet", { is: "call" })}>
            ${icon("more")}
          </button>
          <button type="button" class="disc low flag" aria-label=${t("chat.report")} onClick=${() => send("sheet", { is: "report" })}>
            ${icon("flag")}
          </button>
        </div>
        ${
          video.problem &&
          html`
            <${Problem} why=${video.problem} />
          `
        }
        <${Trouble} video=${video} relay=${config.relay} />
        ${
          armed === "swipe" &&
          html`
            <p class="told" aria-hidden="true">${t("chat.swipe")}</p>
          `
        }
        ${
          video.blurred &&
          video.slow < 2 &&
          html`
            <${Gate} common=${chat.common} looked=${video.looked} />
          `
        }
        <${Fleeting} lines=${chat.lines} />
        <${Small} video=${video} />
      </div>
      <${Rail} state=${state} />
    </section>
  `;
}
