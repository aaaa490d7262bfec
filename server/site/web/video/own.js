// Hold the own camera and microphone as they are sent and shown: one stream, whose tracks change. The camera's picture is in it as it is,
// or blurred in its place: never both.
import { blurred, blursOf } from "./blur.js";

export const own = new MediaStream();
let camera = null; // the track of the camera: in the stream, or the source of the blurred one
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

/** Release one kind or both: its light turns off. */
export function stop(kind) {
  for (const track of own.getTracks()) if (!kind || track.kind === kind) end(track);
  if (kind === "audio") return;
  drawn?.stop();
  if (camera) end(camera);
  [camera, drawn] = [null, null];
}

/** Send the camera in this way. If this camera cannot, more is blurred than was chosen, never less. */
export async function show(blur) {
  const track = camera;
  if (!track) return;
  const can = blursOf(track);
  let does = can.includes(blur) ? blur : "all";
  if (can.includes("background"))
    await track.applyConstraints({ ...track.getConstraints(), backgroundBlur: does === "background" }).catch(() => {
      if (does === "background") does = "all";
    });
  if (track !== camera) return; // released meanwhile
  drawn?.stop();
  drawn = does === "all" ? blurred(track) : null;
  for (const old of own.getVideoTracks()) own.removeTrack(old);
  own.addTrack(drawn?.track ?? track);
}

/** Add new tracks, in place of those of their kind. `gone(kind)`: one ended by itself. */
export async function take(tracks, blur, gone) {
  for (const track of tracks) {
    stop(track.kind);
    track.onended = () => (stop(track.kind), gone(track.kind));
    if (track.kind === "video") camera = track;
    else own.addTrack(track);
  }
  await show(blur);
}
