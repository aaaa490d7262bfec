// The own picture blurred: what is behind a person by the browser itself, where it and the camera can; all of it by drawing it with
// so few cells that nothing of it comes back, large again.

const CELLS = 20; // across: a face has no features in it
const WIDE = 320; // px of what is sent
const RATE = 12; // pictures a second

/** What can be chosen for this camera, or before there is one: `none` always, `background`, `all`. */
export const blursOf = (track) => [
  "none",
  ...(track?.getCapabilities?.().backgroundBlur?.includes(true) ? ["background"] : []),
  ...("captureStream" in HTMLCanvasElement.prototype ? ["all"] : []),
];

/** Draw `picture` over all of the pen's canvas, which becomes so wide and has the picture's shape. */
function draw(pen, picture, width, shape) {
  const { canvas } = pen;
  const height = Math.max(1, Math.round(width * shape));
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  pen.imageSmoothingQuality = "high";
  pen.drawImage(picture, 0, 0, width, height);
}

/** `{track, stop}`: what is sent in place of `track`, which goes on until somebody else stops it. A picture that fails is none. */
export function blurred(track) {
  const source = Object.assign(document.createElement("video"), { muted: true, playsInline: true, srcObject: new MediaStream([track]) });
  source.play().catch(() => {}); // let go before it began
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
