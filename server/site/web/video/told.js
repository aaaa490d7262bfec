// Show the state of a call: quality, what the partner sends, and problems, with the own devices too.
import { html } from "../html.js";
import { icon } from "../icons.js";
import "../icons-rest.js";
import { isShown, lacking } from "../reduce/video.js";
import { send } from "../store.js";
import { t } from "../words.js";

const BARS = { good: 3, weak: 2, bad: 1 };

/** Show the quality of the picture: bars, and the same in words. */
export function Quality({ video }) {
  const { link, slow, veil, quality } = video;
  const level = link === "live" ? (quality ?? "good") : null;
  const words = level ? (!isShown(video) || veil ? "curtain.short" : `call.quality.${level}`) : slow === 2 ? "call.none" : "call.connecting";
  return html`
    <span class="bars" data-lit=${BARS[level] ?? 0} aria-hidden="true">
      <i></i>
      <i></i>
      <i></i>
    </span>
    ${t(words)}
  `;
}

/** Show what the partner does not send, while that is so. */
export function Gives({ video: { link, theirs } }) {
  if (link !== "live" || (theirs.camera && theirs.microphone)) return null;
  return html`
    <small class="gives">
      <span class="struck">${icon(theirs.microphone ? "video" : "mic")}${icon("off")}</span>
      ${t(theirs.microphone ? "ready.sound" : "call.muted")}
    </small>
  `;
}

/** Show the current problem in one line, with its remedy. */
export function Trouble({ video, relay, held }) {
  if (held)
    return html`
      <p class="told">${t("call.held")}</p>
    `;
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
  if (video.silent && !video.blurred && !video.veil)
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
  if (video.link === "live" && !video.blurred && !isShown(video))
    return html`
      <p class="told">${t("curtain.waiting")}</p>
    `;
  if (video.link === "live" && !video.theirs.camera)
    return html`
      <p class="told">${t(lacking(video.theirs))}</p>
    `;
  return null;
}

const again = () => send("media.ask");
const ANSWERS = {
  closed: [["ready.ask", again]],
  blocked: [
    ["ready.again", again],
    ["ready.text", () => send("ready.text")],
  ],
  none: [
    ["ready.sound", () => send("media.ask", { sound: true })],
    ["ready.look", again],
  ],
  busy: [["ready.again", again]],
  gone: [["ready.another", again]],
};

/** Show the sentence of a cause, and what to do about it. */
export const Problem = ({ why }) => html`
  <div class="trouble">
    <p>${t(`ready.${why}`)}</p>
    <div class="row">
      ${ANSWERS[why].map(
        ([key, act]) => html`
          <button type="button" class="button" onClick=${act}>${t(key)}</button>
        `,
      )}
    </div>
  </div>
`;
