// Take the still pictures of a call that the server asks for (`snap`): drawn, packed, sent, and stored nowhere. Needs a document.
import { SNAP } from "./protocol.js";

const [WIDE, HIGH] = SNAP.tile;
const QUALITIES = [0.7, 0.5, 0.3, 0.1]; // the first that is small enough
const LOOK = 50; // ms between two checks for a frame

const pause = (ms) => new Promise((done) => setTimeout(done, ms));

/** Play a stream in an element outside of the document; resolves to it, or to null without a picture before `until`. */
async function shown(stream, until) {
  const video = Object.assign(document.createElement("video"), { muted: true, playsInline: true, srcObject: stream });
  video.play().catch(() => {});
  while (!(video.readyState >= 2 && video.videoWidth > 2)) {
    if (Date.now() > until) return (video.srcObject = null);
    await pause(LOOK);
  }
  return video;
}

/** Draw `tiles` pictures below each other, `gap` ms apart, and pack them; null if none of the qualities is small enough. */
async function drawn(video, tiles, gap) {
  const canvas = Object.assign(document.createElement("canvas"), { width: WIDE, height: HIGH * tiles });
  const pen = canvas.getContext("2d", { alpha: false });
  const scale = Math.min(WIDE / video.videoWidth, HIGH / video.videoHeight);
  const [width, height] = [video.videoWidth * scale, video.videoHeight * scale];
  for (let tile = 0; tile < tiles; tile += 1) {
    if (tile) await pause(gap);
    pen.drawImage(video, (WIDE - width) / 2, tile * HIGH + (HIGH - height) / 2, width, height);
  }
  for (const quality of QUALITIES) {
    const picture = await new Promise((done) => canvas.toBlob(done, "image/jpeg", quality));
    if (picture.size <= SNAP.bytes) return picture;
  }
  return null;
}

/** Answer a `snap` with pictures of `theirs` and, if asked, of `mine` (null: no camera), or say why not. */
export async function takePictures(asked, theirs, mine, me) {
  const until = Date.now() + asked.within * 800; // a little less than the server waits
  const place = new URL(`/api/snap/${asked.nonce}/`, me.url.replace(/^ws/, "http"));
  const give = async (name, stream, tiles) => {
    const video = stream?.getVideoTracks().length ? await shown(stream, until) : null;
    if (!video) return false;
    try {
      const body = await drawn(video, tiles, asked.gap);
      if (body) await fetch(new URL(name, place), { method: "POST", body });
      return !!body;
    } finally {
      video.srcObject = null;
    }
  };
  if (document.hidden) return me.noSnap(asked.nonce, "hidden");
  const [of, own] = await Promise.all([give("theirs", theirs, asked.tiles), asked.mine ? give("mine", mine, 1) : true]);
  if (!own) me.noSnap(asked.nonce, "camera");
  else if (!of) me.noSnap(asked.nonce, "early");
}
