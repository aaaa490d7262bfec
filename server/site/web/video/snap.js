// Take still pictures of a call when the server asks: of the stranger as shown here, of oneself as sent. Drawn, packed, sent, and stored
// nowhere. One request at a time; one more may wait, the newest.
import { SNAP } from "../client/protocol.js";
import { get, send } from "../store.js";
import { stays } from "../reduce/video.js";
import { own } from "./own.js";

const [WIDE, HIGH] = SNAP.tile;
const QUALITIES = [0.7, 0.5, 0.3, 0.1]; // the first that is small enough: noise packs badly
const STILL = 500; // ms without a new frame after which the last one is used
const LOOK = 100; // ms between two checks for a first frame

const pause = (ms) => new Promise((done) => setTimeout(done, ms));
const shows = (video) => !!video?.srcObject && video.readyState >= 2 && video.videoWidth > 2;

/** Resolves when there is a next frame, or none came for `ms`. */
const next = (video, ms) =>
  new Promise((done) => {
    const asked = video.requestVideoFrameCallback?.(over);
    const timer = setTimeout(over, ms);
    function over() {
      clearTimeout(timer);
      if (asked !== undefined) video.cancelVideoFrameCallback(asked);
      done();
    }
  });

function penOf(width, height) {
  try {
    return new OffscreenCanvas(width, height).getContext("2d", { alpha: false });
  } catch {
    return Object.assign(document.createElement("canvas"), { width, height }).getContext("2d", { alpha: false }); // an older browser
  }
}

/** Draw a whole picture into a tile, not mirrored; the rest of the tile stays black. */
function draw(pen, video, tile) {
  const { videoWidth, videoHeight } = video;
  const scale = Math.min(WIDE / videoWidth, HIGH / videoHeight);
  const [width, height] = [videoWidth * scale, videoHeight * scale];
  pen.imageSmoothingQuality = "medium";
  pen.drawImage(video, (WIDE - width) / 2, tile * HIGH + (HIGH - height) / 2, width, height);
}

const packed = (canvas, quality) =>
  canvas.convertToBlob?.({ type: "image/jpeg", quality }) ?? new Promise((done) => canvas.toBlob(done, "image/jpeg", quality));

/** Send a picture. The nonce may be used up by now, or the chat over: a refusal is ignored. */
async function give(nonce, what, canvas, left) {
  for (const quality of QUALITIES) {
    const picture = await packed(canvas, quality);
    if (picture.size > SNAP.bytes) continue;
    await fetch(`/api/snap/${nonce}/${what}`, { method: "POST", body: picture, priority: "low", signal: AbortSignal.timeout?.(left()) }).catch(() => {});
    return;
  }
}

/** Make a video element for a stream; it has to release the stream, else a camera waits for it. */
function apart(stream) {
  const video = Object.assign(document.createElement("video"), { muted: true, playsInline: true, srcObject: stream });
  video.play().catch(() => {}); // stopped before it began
  return video;
}

/** Take pictures of the stranger, some tiles below each other. Waits until they are shown; returns why not, or null. */
async function ofTheirs({ nonce, tiles, gap, remote }, left, on) {
  const pen = penOf(WIDE, HIGH * tiles);
  let spare = null; // for when the stage is gone, after a report
  const video = () => document.getElementById("theirs") ?? (stays(get()) ? (spare ??= apart(remote())) : null);
  const missing = () => (document.hidden ? "hidden" : shows(video()) ? null : "early");
  try {
    while (missing() && on()) await pause(spare ? LOOK / 4 : LOOK);
    for (let tile = 0; tile < tiles; tile += 1) {
      if (tile) await pause(gap);
      if (!missing()) await next(video(), STILL);
      if (!on() || missing()) return missing() ?? "early";
      draw(pen, video(), tile);
    }
  } finally {
    if (spare) spare.srcObject = null;
  }
  await give(nonce, "theirs", pen.canvas, left);
  return null;
}

/** Take a picture of oneself from the sent track: an element of its own never shows an earlier frame. */
async function ofMine({ nonce }, left, on) {
  while (!own.getVideoTracks().length && on()) await pause(LOOK);
  if (!own.getVideoTracks().length) return "camera";
  const video = apart(new MediaStream(own.getVideoTracks()));
  try {
    while (!shows(video) && on()) await pause(LOOK / 4);
    if (!shows(video)) return "camera";
    const pen = penOf(WIDE, HIGH);
    draw(pen, video, 0);
    await give(nonce, "mine", pen.canvas, left);
    return null;
  } finally {
    video.srcObject = null;
  }
}

async function take(look) {
  const left = () => Math.max(0, look.until - performance.now());
  const here = ({ phase, chat }) => phase === "chat" && !!chat.call;
  const on = () => left() > 0 && get().chat?.id === look.chat && (here(get()) || stays(get()));
  const wanted = [...(look.theirs ? [ofTheirs] : []), ...(look.mine ? [ofMine] : [])];
  const whys = await Promise.all(wanted.map((of) => of(look, left, on).catch(() => "early")));
  const why = whys.includes("camera") ? "camera" : whys.find(Boolean);
  if (why && !look.said && get().chat?.id === look.chat) send("snap.not", { nonce: look.nonce, why });
  send("snap.done");
}

let waiting = null;
let busy = false;

/** Carry out a request of reduce/pictures.js; `remote` returns the stream of the stranger. */
export async function snap(effect) {
  waiting = { ...effect, until: performance.now() + effect.within * 1000 };
  if (busy) return;
  busy = true;
  try {
    while (waiting) {
      const look = waiting;
      waiting = null;
      await take(look);
    }
  } finally {
    busy = false;
  }
}
