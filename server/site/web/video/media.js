// Streams and the call: what cannot stand in a state. Told what to do by effects, tells what came of it by events. No view, no decision.
import { get, send } from "../store.js";
import { makeCall } from "./call.js";
import { ask, causeOf, list } from "./devices.js";
import { has, own, show, stop, take } from "./own.js";
import { makeMeter } from "./quality.js";

let call = null;
let beat = 0;
let asked = 0;

export const local = () => own;
export const remote = () => call?.remote() ?? null;

const gone = (kind) => send("media.gone", { kind });
const got = () => send("media.got", has());
const failed = async (error) => send("media.failed", { why: await causeOf(error), ...has() });

async function devices() {
  send("media.devices", { devices: await list() });
}

const away = (tracks) => tracks.forEach((track) => track.stop());

/** A camera that was turned off stays off, whatever is asked for. What nobody wants any more when it comes is let go at once. */
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
    call = makeCall({ offer, ice, again, stream: local, tell: send, signal: (part) => send("signal", { part }) });
    beat = setInterval(() => call && void meter(call.stats()).then((level) => call?.ease(level)), 1000);
  },
  hear: ({ part }) => call?.hear(part),
  snap: (effect) =>
    import("./snap.js")
      .then(({ snap }) => snap({ ...effect, remote }))
      .catch(() => send("snap.not", { nonce: effect.nonce, why: "early" })), // no network
  mend: () => call?.mend(),
  relay: () => call?.relay(),
  hang,
  /** How the own picture is given on. */
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
  /** Off means off: the light too. On asks again, which a browser that said yes answers by itself. */
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

const ASIDE = new Set(["stop", "hang", "ask", "snap"]);

/** In order, one after the other; only a stop or a hang-up does not wait for a question that may never be answered, nor do pictures. */
export function act(effect) {
  if (effect.op === "hang") chain = Promise.resolve();
  if (ASIDE.has(effect.op)) void run[effect.op](effect);
  else chain = chain.then(() => run[effect.op](effect)).catch(() => send("call.failed"));
}

navigator.mediaDevices?.addEventListener("devicechange", () => void devices());
