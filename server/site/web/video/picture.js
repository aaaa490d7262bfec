// Show a stream in a video element. Blur and mute are in the markup before the stream is: no clear frame is ever painted, no sound played.
import { useLayoutEffect, useMemo, useRef } from "../vendor/hooks.mjs";
import { html } from "../html.js";
import { send } from "../store.js";
import { t } from "../words.js";
import { pinching } from "./gestures.js";
import { local, remote } from "./media.js";

/** Load the style of video, once, before any of it is shown. */
export const styled = new Promise((done) => {
  const link = document.createElement("link");
  link.rel = "stylesheet";
  link.href = new URL("../style/video.css", import.meta.url).href;
  link.onload = link.onerror = done;
  document.head.append(link);
});
await styled;

/**
 * Show the own picture: mirrored, muted. `serial` counts changes of the stream. A removed element releases its frames: else the camera
 * waits for them, and the stranger for a first picture, until a garbage collection (three seconds).
 */
export function Own({ serial }) {
  const box = useRef(null);
  useLayoutEffect(() => {
    const node = box.current;
    node.srcObject = local();
    node.play().catch(() => {});
    return () => (node.srcObject = null);
  }, [serial]);
  return html`
    <video ref=${box} class="own" muted playsinline autoplay disablepictureinpicture aria-label=${t("call.own")}></video>
  `;
}

/**
 * Show the stranger. `shown`: both curtains are lifted, before that only their sound is attached; `hidden`: blurred; `quiet`: muted; `off`: they
 * send no picture, and the last one is not kept; `whole`: all of it is shown, else it fills its place.
 */
export function Theirs({ serial, shown, hidden, quiet, off, whole, volume, speaker }) {
  const box = useRef(null);
  const fingers = useMemo(
    () =>
      pinching(
        (on) => send("whole", { on }),
        (mouse) => send(mouse ? "full" : "whole"),
      ),
    [],
  );
  useLayoutEffect(() => {
    const node = box.current;
    node.muted = quiet;
    node.volume = volume;
    if ((hidden || !shown) && document.pictureInPictureElement === node) void document.exitPictureInPicture().catch(() => {}); // no blur is possible there
  }, [hidden, shown, quiet, volume]);
  useLayoutEffect(() => {
    const node = box.current;
    const stream = serial ? remote() : null;
    node.srcObject = stream && !shown ? new MediaStream(stream.getAudioTracks()) : stream;
    return () => (node.srcObject = null);
  }, [serial, shown]);
  useLayoutEffect(() => {
    if (serial)
      box.current.play().then(
        () => send("call.silent", { on: false }),
        (error) => error.name === "NotAllowedError" && send("call.silent", { on: true }),
      );
  }, [serial, hidden, shown, quiet]);
  useLayoutEffect(() => {
    if (speaker) box.current.setSinkId?.(speaker).catch(() => {});
  }, [speaker]);
  return html`
    <video
      ref=${box}
      id="theirs"
      class=${hidden ? "blur" : ""}
      data-whole=${whole ? "" : null}
      data-off=${off || !shown ? "" : null}
      muted=${quiet}
      playsinline
      autoplay
      disablepictureinpicture=${hidden || !shown}
      aria-label=${t("call.theirs")}
      ...${fingers}
    ></video>
  `;
}

/** Show oneself in the left circle of the waiting screen, if there is a camera. */
export const Self = ({ state: { video, waiting } }) =>
  video.has.camera &&
  html`
    <figure class="self" data-accepts=${waiting?.accepts}>
      <${Own} serial=${video.local} />
      <figcaption>${t("ready.only")}</figcaption>
    </figure>
  `;
