// Run the video call of a chat for `Client.call`: negotiation, repair after a resume, the server's requests for pictures, its veil.
import { makeCall } from "./negotiation.js";
import { takePictures } from "./stills.js";

const REPEAT = 3000; // ms; the repair itself waits for 1.5 s

/** A call. Events: `live`, `paused`, `failed`, `track`, `theirs`, `veil`, `ended`. It ends with its chat. */
export class Call extends EventTarget {
  /** The devices that the partner says they give: {camera, microphone, curtain}. */
  theirs = {};
  /** Whether the server hides the partner: their tracks are disabled meanwhile. */
  veiled = false;
  #me;
  #chat;
  #own;
  #call;
  #held = false;
  #curtain = false;
  #off = [];
  #before;

  constructor(me, stream, { relay = false } = {}) {
    super();
    const chat = me.chat;
    if (!chat?.ice) throw new TypeError("there is no video chat: find({ mode: \"video\" }) first");
    [this.#me, this.#chat, this.#own] = [me, chat.chat, stream];
    this.#call = makeCall({
      offer: !!chat.offer,
      ice: chat.ice,
      held: (kind) => this.#held || (this.#curtain && kind === "video"),
      stream: () => stream,
      tell: (type) => this.#tell(type.replace("call.", "")),
      signal: (part) => this.#signal(part),
    });
    if (relay) this.#call.relay();
    const hear = (type, act) => this.#off.push(me.on(type, act));
    hear("signal", (frame) => this.#heard(frame));
    hear("resumed", ({ chat: id }) => (id === this.#chat ? this.#mend() : this.close()));
    hear("veil", (frame) => this.#veil(frame));
    hear("partner", ({ state }) => (state === "asked" ? this.#hold(true) : state === "back" && this.#back()));
    hear("challenge", ({ kind, parameters }) => kind === "age" && !parameters.hint && this.#hold(true));
    hear("solved", ({ kind }) => kind === "age" && this.#back());
    this.#before = me.pictures;
    me.pictures = (asked) => takePictures(asked, this.remote, this.#curtain ? null : stream, me).catch(() => me.noSnap(asked.nonce, "early"));
    for (const type of ["left", "matched", "waiting", "closed"]) hear(type, () => this.close());
    // The partner may begin later, and has not heard the signals before that: they are repeated until there is a connection.
    const repeat = setInterval(() => this.#mend(), REPEAT);
    this.#off.push(() => clearInterval(repeat));
  }

  /** The partner's picture and sound, for a video element's `srcObject`. */
  get remote() {
    return this.#call.remote();
  }

  /** Draw or lift the own curtain: no picture is sent behind it. */
  curtain(drawn) {
    this.#curtain = drawn;
    this.#call.hold();
    this.#signal({ media: { curtain: drawn } });
  }

  /** Say which of the own devices are on. */
  give(camera, microphone) {
    for (const track of this.#own.getTracks()) track.enabled = track.kind === "video" ? camera : microphone;
    this.#signal({ media: { camera, microphone } });
  }

  /** Send a changed stream: after a track was added or replaced. */
  fit() {
    this.#call.fit();
  }

  stats() {
    return this.#call.stats();
  }

  /** Hang up; the chat goes on by text. */
  close() {
    if (!this.#off.length) return;
    for (const off of this.#off.splice(0)) off();
    this.#call.close();
    this.#me.pictures = this.#before;
    this.#tell("ended");
  }

  #tell(type) {
    if (type === "track" || type === "framed") this.#show();
    this.dispatchEvent(new Event(type));
  }

  #signal(part) {
    const { description, candidate, media } = part;
    if (this.#me.chat?.chat !== this.#chat || this.#held) return;
    const said = media ? { media } : description ? { description: { type: description.type, sdp: description.sdp } } : null;
    try {
      this.#me.signal(said ?? { candidate: candidate?.toJSON?.() ?? candidate });
    } catch (error) {
      if (!(error instanceof RangeError)) throw error; // too many wait for a connection: the path is made anew behind it
    }
  }

  #heard(frame) {
    if (!frame.media) return this.#call.hear(frame);
    this.theirs = { ...this.theirs, ...frame.media };
    this.#tell("theirs");
  }

  #mend() {
    if (!this.#held) this.#call.mend();
  }

  #hold(on) {
    this.#held = on;
    this.#call.hold();
    this.#show();
  }

  #back() {
    this.#hold(false);
    this.#mend(); // signals were refused meanwhile
  }

  #veil({ on, why }) {
    if (why === "unchecked") return this.close();
    this.veiled = on;
    this.#show();
    this.#tell("veil");
  }

  #show() {
    for (const track of this.remote.getTracks()) track.enabled = !this.veiled && !this.#held;
  }
}

/** Begin the call of the client's chat. `stream`: of getUserMedia; `relay`: hide the address. */
export const call = (me, stream, options) => new Call(me, stream, options);
