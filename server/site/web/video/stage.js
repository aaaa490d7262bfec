// Show the stage: the stranger large, oneself small, the card before the first look, and the rail. Always dark, in either theme.
import { useEffect, useLayoutEffect, useRef, useState } from "../vendor/hooks.mjs";
import { nameOf, partnerFace } from "../face.js";
import { html } from "../html.js";
import { icon } from "../icons.js";
import "../icons-rest.js";
import { moveFocus } from "../focus.js";
import { Behind } from "../parts/behind.js";
import { isHeld } from "../reduce/partner.js";
import { isHushed, isShown } from "../reduce/video.js";
import { get, send } from "../store.js";
import { clean } from "../text.js";
import { gap, listed, parts, t } from "../words.js";
import { checked } from "./checked.js";
import { useFull, useIdle } from "./fullscreen.js";
import { Theirs } from "./picture.js";
import { Small } from "./small.js";
import { Gives, Problem, Quality, Trouble } from "./told.js";

const [LINES, LINGER] = [2, 8000]; // last messages over the picture, on a phone, and the ms that they stay

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

/**
 * Show the card before the first look, with the focus; and again after hiding the stranger, without it, so that keys keep their target.
 * Under a veil of the server a key that was meant for another control does not show the stranger.
 */
function Gate({ chat: { common, college }, looked, veil, drawn, hush }) {
  const [box, first, head] = [useRef(null), useRef(null), useRef(null)];
  useLayoutEffect(() => {
    const { current: node } = box;
    if (!looked && !veil) first.current.focus({ preventScroll: true });
    return () => get().phase === "chat" && node.contains(document.activeElement) && moveFocus("chat");
  }, []);
  useLayoutEffect(() => {
    if (veil && [first.current, document.body].includes(document.activeElement)) head.current.focus({ preventScroll: true });
  }, [veil]);
  const bold = (word) => html`
    <b dir="auto">${clean(word)}</b>
  `;
  const both = common.length > 0 && [...parts("chat.both", { topics: listed(common, bold) }), gap()];
  const study = college && [...parts("chat.study", { college: bold(college) }), gap()];
  return html`
    <div class="gate" ref=${box}>
      <h2 tabindex="-1" ref=${head}>${t(veil ? "call.nudity" : looked ? "curtain.down" : "call.here")}</h2>
      <p>
        ${
          looked || veil
            ? t(drawn ? "curtain.more" : "call.nudity.more")
            : html`
                ${both}${study}${t(hush ? "curtain.first.quiet" : "curtain.first")}
              `
        }
      </p>
      <button type="button" class=${`button ${veil ? "" : "primary"}`} id="show" ref=${first} onClick=${() => send("show")}>${t("curtain.lift")}</button>
      <button type="button" class=${`button ${veil ? "primary" : ""}`} onClick=${() => send("next", { sure: true })}>${t("call.next")}</button>
      ${
        veil &&
        html`
          <button type="button" class="button" onClick=${() => send("sheet", { is: "report" })}>${t("chat.report")}</button>
        `
      }
    </div>
  `;
}

/** Show the last lines over the picture, for a while; screen readers read the log itself. */
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

/** Measure the height of the rail, for elements above it: with larger text it has two rows. */
function useHeight() {
  const rail = useRef(null);
  useLayoutEffect(() => {
    const { current: node } = rail;
    const call = node.closest(".call");
    const watch = new ResizeObserver(() => call.style.setProperty("--above", `${node.offsetHeight}px`));
    watch.observe(node);
    return () => watch.disconnect();
  }, []);
  return rail;
}

function Rail({ state: { video, chat, armed } }) {
  const rail = useHeight();
  const { on } = video;
  const toggle = (kind, name, key, live, id) =>
    disc(t(key), name, () => send("toggle", { kind }), { pressed: String(!live), off: !live, id });
  const fresh = video.open ? 0 : chat.lines.slice(video.seen).filter(({ from }) => from === "them").length;
  const messages = fresh ? t("call.messages.new", { n: fresh }) : t("call.messages");
  return html`
    <div class="rail" ref=${rail} role="toolbar" aria-label=${t("call.rail")}>
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

export function Stage({ state }) {
  const { video, chat, sheet, config, armed } = state;
  useFull();
  const held = isHeld(chat); // neither side shows the other one, whatever a page still sends
  const shown = isShown(video);
  const hidden = video.veil || held || sheet?.is === "report";
  const quiet = hidden || (video.blurred && video.looked) || isHushed(state);
  const idle = useIdle(video.full && shown && !hidden && !video.open && !sheet && !video.problem && !armed);
  return html`
    <section class="stage" aria-label=${t("call.theirs")} data-idle=${idle ? "" : null}>
      <div class="frame">
        <${Theirs}
          serial=${video.remote}
          shown=${shown}
          hidden=${hidden}
          quiet=${quiet}
          off=${held || !video.theirs.camera}
          whole=${video.whole}
          volume=${video.volume}
          speaker=${video.chosen.speaker}
        />
        ${
          !shown &&
          html`
            <div class="curtain" aria-hidden="true"></div>
          `
        }
        <div class="over-bar">
          <p class="name" aria-hidden="true">
            <b>${nameOf(partnerFace(chat))}</b>
            <small><${Quality} video=${video} /></small>
            ${
              video.theirs.camera && // otherwise shown in place of the picture
              html`
                <${Gives} video=${video} />
              `
            }
          </p>
          ${
            config.pictures &&
            html`
              <button
                type="button"
                class="disc low shield"
                aria-label=${t("call.pictures")}
                title=${checked(config)}
                aria-haspopup="dialog"
                onClick=${() => send("sheet", { is: "pictures" })}
              >
                ${icon("shield")}
              </button>
            `
          }
          <button
            type="button"
            class="disc low"
            id="blur-now"
            aria-label=${t("curtain.draw")}
            title=${t("curtain.draw")}
            aria-disabled=${video.blurred ? "true" : null}
            onClick=${() => send("blur")}
          >
            ${icon("nobody")}
          </button>
          <button type="button" class="disc low" aria-label=${t("call.menu")} title=${t("call.menu")} onClick=${() => send("sheet", { is: "call" })}>
            ${icon("more")}
          </button>
          ${
            video.full &&
            html`
              <button type="button" class="disc low" id="full" aria-label=${t("call.unfull")} title=${t("call.unfull")} onClick=${() => send("full")}>
                ${icon("unfull")}
              </button>
            `
          }
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
        <${Trouble} video=${video} relay=${config.relay} held=${held} />
        ${
          armed === "swipe" &&
          html`
            <p class="told" aria-hidden="true">${t("chat.swipe")}</p>
          `
        }
        ${
          state.behind?.token &&
          html`
            <${Behind} id="back-in-call" kind="told" />
          `
        }
        ${
          (video.blurred || video.veil) &&
          video.slow < 2 &&
          html`
            <${Gate} chat=${chat} looked=${video.looked} veil=${video.veil} drawn=${video.blurred} hush=${isHushed(state)} />
          `
        }
        <${Fleeting} lines=${chat.lines} />
        <${Small} video=${video} />
      </div>
      <${Rail} state=${state} />
    </section>
  `;
}
