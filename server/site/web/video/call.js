// One call: perfect negotiation, no DOM, no store. `tell(type, detail)` hears what happens, `signal(part)` sends.
// The side with `offer` makes the first offer and is impolite; the other waits for it. A description with another
// fingerprint comes from a page that was loaded again: the connection is made anew for it.

const REST = 1500; // ms that a connection is given to come back by itself before ICE is started again
// Sound first: what the picture may take where the connection is bad, in steps; up again one at a time, RISE ms apart.
const LEVELS = ["good", "weak", "bad"];
const PICTURE = [{}, { maxBitrate: 350_000, scaleResolutionDownBy: 2 }, { maxBitrate: 80_000, scaleResolutionDownBy: 4, maxFramerate: 10 }];
const RISE = 10_000;
const fingerprint = (sdp) => /^a=fingerprint:(.+)$/m.exec(sdp)?.[1] ?? "";

/** Nothing but TURN servers in the list: somebody here hides an address. */
export const onlyRelays = (ice) => ice.length > 0 && ice.every(({ urls }) => [urls].flat().every((url) => /^turns?:/.test(url)));

export function makeCall({ offer, ice, again, stream, tell, signal }) {
  let pc = null;
  let remote = null;
  let making = false;
  let refusing = false;
  let theirs = "";
  let soon = 0;
  let step = 0;
  let eased = 0;
  let policy = onlyRelays(ice) ? "relay" : "all";

  const mine = (kind) =>
    stream()
      .getTracks()
      .find((track) => track.kind === kind) ?? null;

  function fit() {
    for (const transceiver of pc.getTransceivers()) {
      if (transceiver.stopped) continue;
      transceiver.direction = "sendrecv";
      void transceiver.sender.replaceTrack(mine(transceiver.receiver.track.kind));
      transceiver.sender.setStreams(stream());
    }
  }

  async function describe() {
    making = true;
    try {
      await pc.setLocalDescription();
      signal({ description: pc.localDescription });
    } finally {
      making = false;
    }
  }

  function changed(current) {
    if (current !== pc) return;
    clearTimeout(soon);
    const state = current.connectionState;
    if (state === "connected") tell("call.live");
    else if (state === "disconnected") {
      tell("call.paused");
      soon = setTimeout(mend, REST);
    } else if (state === "failed") {
      tell("call.paused");
      current.restartIce();
    }
  }

  function open(first) {
    const current = new RTCPeerConnection({ iceServers: ice, iceTransportPolicy: policy, bundlePolicy: "max-bundle" });
    pc = current;
    remote = new MediaStream();
    theirs = "";
    step = 0;
    current.onicecandidate = ({ candidate }) => current === pc && candidate && signal({ candidate });
    current.onconnectionstatechange = () => changed(current);
    current.onnegotiationneeded = () => (first || theirs) && current === pc && describe().catch(broken);
    current.ontrack = ({ track }) => {
      remote.addTrack(track);
      tell("call.track");
    };
    if (first)
      for (const kind of ["audio", "video"]) current.addTransceiver(mine(kind) ?? kind, { direction: "sendrecv", streams: [stream()] });
  }

  const broken = () => pc && tell("call.failed");

  async function described(description) {
    clearTimeout(soon);
    const print = fingerprint(description.sdp ?? "");
    if (description.type === "offer" && theirs && print !== theirs) {
      pc.close();
      open(false);
    }
    const collides = description.type === "offer" && (making || pc.signalingState !== "stable");
    refusing = offer && collides && (!again || !!theirs); // polite, or just loaded again: the other offer wins
    if (refusing) return;
    const current = pc;
    await current.setRemoteDescription(description);
    theirs = print;
    if (description.type !== "offer") return;
    fit();
    await current.setLocalDescription();
    if (current === pc) signal({ description: current.localDescription });
  }

  async function candidate(found) {
    try {
      await pc.addIceCandidate(found);
    } catch (error) {
      if (!refusing && pc.remoteDescription) throw error;
    }
  }

  /** Signals may have been lost on the way: say the last one again, or look for another way through. */
  function mend() {
    clearTimeout(soon);
    if (!pc || pc.connectionState === "connected") return;
    if (pc.signalingState === "have-local-offer") signal({ description: pc.localDescription });
    else if (theirs) pc.restartIce();
    else if (offer) describe().catch(broken);
  }

  /** The picture makes room for the sound, at once; and takes it back in time. */
  function ease(level) {
    const want = LEVELS.indexOf(level);
    if (!pc || want === step || (want < step && performance.now() - eased < RISE)) return;
    [step, eased] = [want > step ? want : step - 1, performance.now()];
    for (const sender of pc.getSenders()) {
      const asked = sender.getParameters();
      const [encoding] = asked.encodings ?? [];
      if (!encoding || !sender.track) continue;
      if (sender.track.kind === "audio") encoding.priority = step ? "high" : "low";
      else {
        for (const name of Object.keys(PICTURE[2])) delete encoding[name];
        Object.assign(encoding, PICTURE[step]);
      }
      sender.setParameters(asked).catch(() => {}); // a renegotiation came between: the next beat asks again
    }
  }

  let chain = Promise.resolve();
  open(offer || again);
  return {
    remote: () => remote,
    stats: () => pc?.getStats(),
    hear(part) {
      chain = chain
        .then(() => pc && (part.description ? described(part.description) : candidate(part.candidate ?? undefined)))
        .catch(broken);
    },
    ease,
    mend: () => {
      clearTimeout(soon);
      soon = setTimeout(mend, REST);
    },
    /** Own tracks changed: send what there is now. */
    fit: () => pc && theirs && fit(),
    relay() {
      policy = "relay";
      pc.setConfiguration({ iceServers: ice, iceTransportPolicy: policy, bundlePolicy: "max-bundle" });
      pc.restartIce();
    },
    close() {
      clearTimeout(soon);
      pc?.close();
      pc = null;
    },
  };
}
