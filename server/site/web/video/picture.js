// A video element with a stream. Blur and silence are in the markup before the stream is: no clear frame is ever painted, no sound heard.
import { useLayoutEffect, useMemo, useRef } from "../vendor/hooks.mjs";
import { html } from "../html.js";
import { send } from "../store.js";
import { t } from "../words.js";
import { pinching } from "./gestures.js";
import { local, remote } from "./media.js";

/** The style of all of this, fetched once, before anything of it is shown. */
export const styled = new Promise((done) => {
  const link = document.createElement("link");
  link.rel = "stylesheet";
  link.href = new URL("../style/video.css", import.meta.url).href;
  link.onload = link.onerror = done;
  document.head.append(link);
});
await styled;

/**
 * The own picture: mirrored, never heard. `serial` says that the stream changed. An element that goes lets go of its
 * frames: else the camera waits for them, and the stranger for a first picture, until the collector comes (three seconds).
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
 * `hidden`: blurred and silent, by choice; `off`: they send no picture, and the last one is not left standing; `whole`: all of it
 * is seen, else it fills its place.
 */
export function Theirs({ serial, hidden, off, whole, volume, speaker }) {
  const box = useRef(null);
  const fingers = useMemo(
    () =>
      pinching(
        (on) => send("whole", { on }),
        () => send("whole"),
      ),
    [],
  );
  useLayoutEffect(() => {
    const node = box.current;
    node.muted = hidden;
    node.volume = volume;
    if (hidden && document.pictureInPictureElement === node) void document.exitPictureInPicture().catch(() => {}); // there nothing is blurred
  }, [hidden, volume]);
  useLayoutEffect(() => {
    const node = box.current;
    node.srcObject = serial ? remote() : null;
    return () => (node.srcObject = null);
  }, [serial]);
  useLayoutEffect(() => {
    if (serial)
      box.current.play().then(
        () => send("call.silent", { on: false }),
        (error) => error.name === "NotAllowedError" && send("call.silent", { on: true }),
      );
  }, [serial, hidden]);
  useLayoutEffect(() => {
    if (speaker) box.current.setSinkId?.(speaker).catch(() => {});
  }, [speaker]);
  return html`
    <video
      ref=${box}
      id="theirs"
      class=${hidden ? "blur" : ""}
      data-whole=${whole ? "" : null}
      data-off=${off ? "" : null}
      muted=${hidden}
      playsinline
      autoplay
      aria-label=${t("call.theirs")}
      ...${fingers}
    ></video>
  `;
}

/** In the left circle of those that are looked for; without a camera there is nothing to see of oneself. */
export const Self = ({ state: { video, waiting } }) =>
  video.has.camera &&
  html`
    <figure class="self" data-accepts=${waiting?.accepts}>
      <${Own} serial=${video.local} />
      <figcaption>${t("ready.only")}</figcaption>
    </figure>
  `;
