// Streams and the call: what cannot stand in a state. Told what to do by effects, tells what came of it by events. No view, no decision.
import { get, send } from "../store.js";
import { makeCall } from "./call.js";
import { ask, causeOf, list } from "./devices.js";
import { makeMeter } from "./quality.js";

let own = new MediaStream();
let call = null;
let beat = 0;
let asked = 0;

export const local = () => own;
export const remote = () => call?.remote() ?? null;

const stopTracks = (kind) => {
  for (const track of own.getTracks()) {
    if (kind && track.kind !== kind) continue;
    track.onended = null;
    track.stop();
    own.removeTrack(track);
  }
};

function watch(track) {
  track.onended = () => {
    own.removeTrack(track);
    send("media.gone", { kind: track.kind });
  };
}

async function devices() {
  send("media.devices", { devices: await list() });
}

async function obtain({ camera, microphone, sound }) {
  const mine = (asked += 1);
  stopTracks();
  try {
    const found = await ask({ camera, microphone, sound });
    if (mine !== asked) return found.getTracks().forEach((track) => track.stop()); // not wanted any more: the light goes off at once
    own = found;
    own.getTracks().forEach(watch);
    const { video } = get();
    for (const track of own.getAudioTracks()) track.enabled = video.on.microphone;
    send("media.got", { camera: own.getVideoTracks().length > 0, microphone: own.getAudioTracks().length > 0 });
    call?.fit();
    void devices();
  } catch (error) {
    if (mine === asked) send("media.failed", { why: await causeOf(error) });
  }
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
    stopTracks();
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
  mend: () => call?.mend(),
  relay: () => call?.relay(),
  hang,
  microphone({ on }) {
    for (const track of own.getAudioTracks()) track.enabled = on;
  },
  /** Off means off: the light too. On asks again, which a browser that said yes answers by itself. */
  async camera({ on, chosen }) {
    if (!on) stopTracks("video");
    else {
      try {
        const found = await ask({ camera: chosen.camera, sound: false, microphone: chosen.microphone });
        found.getAudioTracks().forEach((track) => track.stop());
        const [track] = found.getVideoTracks();
        if (track) (watch(track), own.addTrack(track));
        send("media.got", { camera: !!track, microphone: own.getAudioTracks().length > 0 });
      } catch (error) {
        send("media.failed", { why: await causeOf(error) });
      }
    }
    call?.fit();
  },
};

let chain = Promise.resolve();

/** In order, one after the other; only a stop or a hang-up does not wait for a question that may never be answered. */
export function act(effect) {
  if (effect.op === "hang") chain = Promise.resolve();
  if (effect.op === "stop" || effect.op === "hang" || effect.op === "ask") void run[effect.op](effect);
  else chain = chain.then(() => run[effect.op](effect)).catch(() => send("call.failed"));
}

navigator.mediaDevices?.addEventListener("devicechange", () => void devices());
