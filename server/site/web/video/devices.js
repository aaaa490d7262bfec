// Request camera and microphone, tell failures apart, and release them. If the wishes cannot be met they are requested again without.

const PICTURE = { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30, max: 30 } };
const exact = (id) => (id ? { deviceId: { exact: id } } : {});

const CAUSES = {
  NotFoundError: "none",
  DevicesNotFoundError: "none",
  NotReadableError: "busy",
  AbortError: "busy",
  TrackStartError: "busy",
  SecurityError: "blocked",
};

/** Return why the browser refused: closed or blocked by the user, no device, in use elsewhere. */
export async function causeOf(error) {
  if (error.name !== "NotAllowedError") return CAUSES[error.name] ?? "busy";
  try {
    const { state } = await navigator.permissions.query({ name: "camera" });
    return state === "denied" ? "blocked" : "closed";
  } catch {
    return "closed"; // this browser does not say
  }
}

/** Return a stream with the available devices: both, or one of them. Throws the error of the browser if both are missing. */
export async function ask({ camera, microphone, sound = false }) {
  const audio = { echoCancellation: true, noiseSuppression: true, ...exact(microphone) };
  const tries = sound
    ? [[audio, false]]
    : [
        [audio, { ...PICTURE, ...exact(camera) }],
        [true, true],
        [false, true],
      ];
  let first = null;
  for (const [wish, picture] of tries) {
    try {
      return await navigator.mediaDevices.getUserMedia({ audio: wish, video: picture });
    } catch (error) {
      first ??= error;
      if (error.name === "NotAllowedError") break;
    }
  }
  throw first;
}

export async function list() {
  const all = await navigator.mediaDevices.enumerateDevices();
  const of = (kind) =>
    all.filter((device) => device.kind === kind && device.deviceId).map(({ deviceId, label }) => ({ id: deviceId, label }));
  return {
    cameras: of("videoinput"),
    microphones: of("audioinput"),
    speakers: "setSinkId" in HTMLMediaElement.prototype ? of("audiooutput") : [],
  };
}
