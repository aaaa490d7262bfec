// Own camera and microphone as the other gets them and oneself sees them: one stream, whose tracks come and go. What the camera
// gives is in it as it is, or blurred in its place: never both.
import { blurred, blursOf } from "./blur.js";

export const own = new MediaStream();
let camera = null; // the camera's own track: in the stream, or behind what is drawn of it
let drawn = null;

export const has = () => ({
  camera: own.getVideoTracks().length > 0,
  microphone: own.getAudioTracks().length > 0,
  blurs: blursOf(camera),
});

function end(track) {
  track.onended = null;
  track.stop();
  own.removeTrack(track);
}

/** Let go, of one kind or of both: the light goes off. */
export function stop(kind) {
  for (const track of own.getTracks()) if (!kind || track.kind === kind) end(track);
  if (kind === "audio") return;
  drawn?.stop();
  if (camera) end(camera);
  [camera, drawn] = [null, null];
}

/** Give the camera on in this way. What this camera cannot is more than was asked for, never less. */
export async function show(blur) {
  const track = camera;
  if (!track) return;
  const can = blursOf(track);
  let does = can.includes(blur) ? blur : "all";
  if (can.includes("background"))
    await track.applyConstraints({ ...track.getConstraints(), backgroundBlur: does === "background" }).catch(() => {
      if (does === "background") does = "all";
    });
  if (track !== camera) return; // let go meanwhile
  drawn?.stop();
  drawn = does === "all" ? blurred(track) : null;
  for (const old of own.getVideoTracks()) own.removeTrack(old);
  own.addTrack(drawn?.track ?? track);
}

/** Take what the browser gave, in place of what there was of its kind. `gone(kind)`: it ended by itself. */
export async function take(tracks, blur, gone) {
  for (const track of tracks) {
    stop(track.kind);
    track.onended = () => (stop(track.kind), gone(track.kind));
    if (track.kind === "video") camera = track;
    else own.addTrack(track);
  }
  await show(blur);
}
