// Blur the own picture: the background by the browser itself, if it and the camera can; all of it by drawing it as a few large squares, so
// that nothing can be recovered.

const CELLS = 20; // across: a face has no features in it
const WIDE = 320; // px of the sent picture
const RATE = 12; // pictures a second

/** Return the choices for this camera, or before there is one: `none` always, `background`, `all`. */
export const blursOf = (track) => [
  "none",
  ...(track?.getCapabilities?.().backgroundBlur?.includes(true) ? ["background"] : []),
  ...("captureStream" in HTMLCanvasElement.prototype ? ["all"] : []),
];

/** Draw `picture` over the whole canvas of the pen, in this width and in its shape. */
function draw(pen, picture, width, shape) {
  const { canvas } = pen;
  const height = Math.max(1, Math.round(width * shape));
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  pen.imageSmoothingQuality = "high";
  pen.drawImage(picture, 0, 0, width, height);
}

/** Return `{track, stop}`: the track sent in place of `track`, which lives on until it is stopped elsewhere. A picture that fails is skipped. */
export function blurred(track) {
  const source = Object.assign(document.createElement("video"), { muted: true, playsInline: true, srcObject: new MediaStream([track]) });
  source.play().catch(() => {}); // stopped before it began
  const [small, large] = [0, 1].map(() => document.createElement("canvas").getContext("2d"));
  const [picture] = large.canvas.captureStream(RATE).getTracks();
  const beat = setInterval(() => {
    const { videoWidth, videoHeight } = source;
    if (!videoWidth) return;
    draw(small, source, CELLS, videoHeight / videoWidth);
    draw(large, small.canvas, WIDE, videoHeight / videoWidth);
  }, 1000 / RATE);
  return {
    track: picture,
    stop() {
      clearInterval(beat);
      picture.stop();
      source.srcObject = null;
    },
  };
}
