// Run one call: perfect negotiation, without DOM and store. `tell(type, detail)` reports events, `signal(part)` sends. The side with
// `offer` makes the first offer and is impolite; the other waits for it. A description with another fingerprint comes from a reloaded page:
// the connection is made anew for it.

const REST = 1500; // ms that a connection may take to recover by itself before ICE is restarted
// Sound first: the bandwidth of the picture on a bad connection, in steps; up again one at a time, RISE ms apart.
const LEVELS = ["good", "weak", "bad"];
const PICTURE = [{}, { maxBitrate: 350_000, scaleResolutionDownBy: 2 }, { maxBitrate: 80_000, scaleResolutionDownBy: 4, maxFramerate: 10 }];
const RISE = 10_000;
const fingerprint = (sdp) => /^a=fingerprint:(.+)$/m.exec(sdp)?.[1] ?? "";

/** Whether all servers are TURN servers: one of the users hides an address. */
export const onlyRelays = (ice) => ice.length > 0 && ice.every(({ urls }) => [urls].flat().every((url) => /^turns?:/.test(url)));

/** `held(kind)`: whether the own track of this kind is not sent now. */
export function makeCall({ offer, ice, again, held, stream, tell, signal }) {
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
    held(kind)
      ? null
      : (stream()
          .getTracks()
          .find((track) => track.kind === kind) ?? null);

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
      if (track.kind === "video") track.onunmute = () => current === pc && tell("call.framed");
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
    refusing = offer && collides && (!again || !!theirs); // polite, or just reloaded: the other offer wins
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

  /** Repeat the last signal, since signals may have been lost, or restart ICE. */
  function mend() {
    clearTimeout(soon);
    if (!pc || pc.connectionState === "connected") return;
    if (pc.signalingState === "have-local-offer") signal({ description: pc.localDescription });
    else if (theirs) pc.restartIce();
    else if (offer) describe().catch(broken);
  }

  /** Reduce the picture at once for the sound; and raise it again in time. */
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
      sender.setParameters(asked).catch(() => {}); // a renegotiation came between: the next beat tries again
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
    /** Send the present own tracks, after a change. */
    fit: () => pc && theirs && fit(),
    /** Stop or start sending, as the chat is held or goes on: without a negotiation, since signals are refused meanwhile. */
    hold() {
      for (const { stopped, sender, receiver } of pc?.getTransceivers() ?? []) if (!stopped) void sender.replaceTrack(mine(receiver.track.kind));
    },
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
