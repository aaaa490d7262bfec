// Carry out what reduce/photos.js decides: choose a file, draw it anew and smaller, post it, fetch the partner's. Pictures live in this tab's
// memory, by the address that the page shows them under.
import { SENT } from "./client/protocol.js";
import { send } from "./store.js";

const QUALITIES = [0.86, 0.75, 0.6, 0.45, 0.3];
const SHRINK = 0.75; // of the sides, if no quality is small enough
const FETCH = 20_000; // ms

const blobs = new Map(); // by address
let preview = null; // address of the preview
const named = new Map(); // address by the id of an own picture

function addressOf(blob) {
  const url = URL.createObjectURL(blob);
  blobs.set(url, blob);
  return url;
}

/**
 * Return a JPEG without the segments of applications and comments, which a browser may add: profiles, Exif. JFIF's stays, without its small
 * picture.
 */
export function bare(bytes) {
  const parts = [bytes.subarray(0, 2)];
  let at = 2;
  while (at + 4 <= bytes.length && bytes[at] === 0xff) {
    const kind = bytes[at + 1];
    const end = at + 2 + bytes[at + 2] * 256 + bytes[at + 3];
    if (kind === 0xda) return new Blob([...parts, bytes.subarray(at)], { type: "image/jpeg" });
    const jfif = kind === 0xe0 && end - at === 18 && bytes[at + 4] === 0x4a && bytes[at + 6] === 0x49;
    if (jfif || !((kind >= 0xe0 && kind <= 0xef) || kind === 0xfe)) parts.push(bytes.subarray(at, end));
    at = end;
  }
  throw new Error("no JPEG");
}

const packed = (canvas, quality) => new Promise((done) => canvas.toBlob(done, "image/jpeg", quality));

/** Read a file as a picture, turned as its camera was held. */
async function read(file) {
  try {
    return await createImageBitmap(file, { imageOrientation: "from-image" });
  } catch {
    const image = new Image();
    image.src = addressOf(file); // formats that only an element reads
    try {
      await image.decode();
      return image;
    } finally {
      release(image.src);
    }
  }
}

/** Draw a file as a JPEG that the server accepts: within the bounds of SENT, on white behind transparency. */
export async function drawn(file) {
  const image = await read(file);
  const [wide, high] = [image.naturalWidth ?? image.width, image.naturalHeight ?? image.height];
  if (Math.min(wide, high) < SENT.least) throw new Error("too small");
  for (let scale = Math.min(1, SENT.side / Math.max(wide, high)); ; scale *= SHRINK) {
    const size = [wide, high].map((side) => Math.max(SENT.least, Math.round(side * scale)));
    if (Math.max(...size) > SENT.side) throw new Error("too long");
    const canvas = Object.assign(document.createElement("canvas"), { width: size[0], height: size[1] });
    const pen = canvas.getContext("2d", { alpha: false });
    pen.fillStyle = "#fff";
    pen.fillRect(0, 0, ...size);
    pen.imageSmoothingQuality = "high";
    pen.drawImage(image, 0, 0, ...size);
    for (const quality of QUALITIES) {
      const blob = bare(new Uint8Array(await (await packed(canvas, quality)).arrayBuffer()));
      if (blob.size <= SENT.bytes) return blob;
    }
    if (scale < 0.02) throw new Error("too large");
  }
}

async function prepare(file) {
  try {
    const blob = await drawn(file);
    if (preview && ![...named.values()].includes(preview)) release(preview);
    preview = addressOf(blob);
    send("photo.prepared", { url: preview, bytes: blob.size });
  } catch {
    send("photo.unreadable");
  }
}

function choose() {
  document.getElementById("photo-file")?.remove();
  const input = Object.assign(document.createElement("input"), { type: "file", accept: "image/*", id: "photo-file", hidden: true });
  input.onchange = () => {
    input.remove();
    if (input.files[0]) void prepare(input.files[0]);
  };
  document.body.append(input); // Safari asks only for one in the page
  input.click();
}

async function post({ id, key, within }) {
  const body = blobs.get(named.get(id));
  const answer = body && (await fetch(`/api/picture/${key}`, { method: "POST", body, signal: AbortSignal.timeout?.(within) }).catch(() => null));
  send("photo.posted", { id, status: answer?.status ?? 0 });
}

async function get({ key }) {
  try {
    const answer = await fetch(`/api/picture/${key}`, { signal: AbortSignal.timeout?.(FETCH) });
    send("photo.got", { key, url: answer.ok ? addressOf(await answer.blob()) : null });
  } catch {
    send("photo.got", { key, url: null });
  }
}

function release(url) {
  URL.revokeObjectURL(url);
  blobs.delete(url);
}

/** Release all but those that are still shown. */
function forget({ kept }) {
  for (const url of blobs.keys()) if (!kept.includes(url)) release(url);
  for (const [id, url] of named) if (!blobs.has(url)) named.delete(id);
}

const table = { choose, post, get, forget, name: ({ id, url }) => named.set(id, url) };
export const act = (effect) => table[effect.op](effect);
