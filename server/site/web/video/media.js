// Hold streams and the call, which cannot be in the state. Effects command it, events report the results. No view, no decision.
import { isHeld } from "../reduce/partner.js";
import { sent } from "../reduce/video.js";
import { get, send } from "../store.js";
import { makeCall } from "../client/negotiation.js";
import { ask, causeOf, list } from "./devices.js";
import { has, own, show, stop, take } from "./own.js";
import { makeMeter } from "./quality.js";

let call = null;
let beat = 0;
let asked = 0;

/** Whether a track of this kind is not sent: the chat is held, or behind a curtain. */
const held = (kind) => isHeld(get().chat ?? {}) || !sent(get())[kind === "video" ? "camera" : "microphone"];
export const local = () => own;
export const remote = () => call?.remote() ?? null;

const gone = (kind) => send("media.gone", { kind });
const got = () => send("media.got", has());
const failed = async (error) => send("media.failed", { why: await causeOf(error), ...has() });

async function devices() {
  send("media.devices", { devices: await list() });
}

const away = (tracks) => tracks.forEach((track) => track.stop());

/** Request devices. A camera that was turned off stays off. A device that is no longer wanted when it arrives is released at once. */
async function obtain({ camera, microphone, sound }) {
  const mine = (asked += 1);
  stop();
  try {
    const found = await ask({ camera, microphone, sound: sound || !get().video.on.camera });
    if (mine !== asked) return away(found.getTracks());
    const { on, ownBlur } = get().video;
    for (const track of found.getAudioTracks()) track.enabled = on.microphone;
    if (!on.camera) away(found.getVideoTracks());
    await take(on.camera ? found.getTracks() : found.getAudioTracks(), ownBlur, gone);
    if (mine === asked) (got(), call?.fit(), void devices());
  } catch (error) {
    if (mine === asked) await failed(error);
  }
  return undefined;
}

function hang() {
  clearInterval(beat);
  call?.close();
  call = null;
}

const run = {
  ask: obtain,
  stop() {
    asked += 1;
    stop();
  },
  async call({ offer, ice, again }) {
    hang();
    if (!own.getTracks().length) {
      const { video } = get();
      await obtain({ ...video.chosen, sound: false });
      if (get().phase !== "chat") return;
    }
    const meter = makeMeter(send);
    call = makeCall({ offer, ice, again, held, stream: local, tell: send, signal: (part) => send("signal", { part }) });
    beat = setInterval(() => call && void meter(call.stats()).then((level) => call?.ease(level)), 1000);
  },
  hear: ({ part }) => call?.hear(part),
  snap: (effect) =>
    import("./snap.js")
      .then(({ snap }) => snap({ ...effect, remote }))
      .catch(() => send("snap.not", { nonce: effect.nonce, why: "early" })), // no network
  mend: () => call?.mend(),
  hold: () => call?.hold(),
  relay: () => call?.relay(),
  hang,
  /** Set the blur of the own picture. */
  async blur({ how }) {
    await show(how);
    got();
    call?.fit();
  },
  async microphone({ on, chosen }) {
    if (on && !has().microphone) return obtain({ ...chosen, sound: false });
    for (const track of own.getAudioTracks()) track.enabled = on;
    return undefined;
  },
  /** Turn the camera off, its light too, or on: that requests it again, which an allowing browser answers by itself. */
  async camera({ on, chosen }) {
    if (!on) stop("video");
    else {
      const mine = asked;
      try {
        const found = await ask({ camera: chosen.camera, sound: false, microphone: chosen.microphone });
        away(mine === asked ? found.getAudioTracks() : found.getTracks());
        if (mine !== asked) return;
        await take(found.getVideoTracks(), get().video.ownBlur, gone);
        got();
      } catch (error) {
        await failed(error);
      }
    }
    call?.fit();
  },
};

let chain = Promise.resolve();

const ASIDE = new Set(["stop", "hang", "ask", "snap", "hold"]);

/** Carry out effects one after another; only a stop, a hold, a hang-up and pictures do not wait for a question that may never be answered. */
export function act(effect) {
  if (effect.op === "hang") chain = Promise.resolve();
  if (ASIDE.has(effect.op)) void run[effect.op](effect);
  else chain = chain.then(() => run[effect.op](effect)).catch(() => send("call.failed"));
}

navigator.mediaDevices?.addEventListener("devicechange", () => void devices());
