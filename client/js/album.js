// Exchange pictures with the partner of a chat, once both allow it, for `Client.album`. What is allowed and sent is in the client's snapshot.
//
// **Invariant:** the server learns the own wish again after each resume; a picture that was under way is asked for once more with the same id, of
// which the server announces one at most.

const ANSWER = 60_000; // ms from the request to the result of the server's check

/** The pictures of one chat. It ends with the chat. */
export class Album {
  #me;
  #tools;
  #chat;
  #ids = 0;

  constructor(me, tools) {
    if (!me.chat?.pictures) throw new TypeError("this chat has no pictures: find({ pictures: true }), and the partner too");
    [this.#me, this.#tools, this.#chat] = [me, tools, me.chat.chat];
    const wish = ({ chat }) => chat === this.#chat && tools.session.send({ type: "pictures", allow: this.own });
    const ends = [me.on("resumed", wish), me.subscribe(() => this.#isOver() && ends.splice(0).forEach((end) => end()))];
  }

  /** Whether this side allows pictures. */
  get own() {
    return this.#now.own;
  }

  /** Whether the partner does. */
  get theirs() {
    return this.#now.theirs;
  }

  /** The pictures of the chat, as the server told them. */
  get sent() {
    return this.#now.sent;
  }

  /** Allow pictures, which asks the partner for them too; or allow them no more. */
  allow(own = true) {
    if (this.#isOver()) throw this.#refused("no_chat", "the chat is over");
    const { state, session } = this.#tools;
    if (this.#isConnected()) session.send({ type: "pictures", allow: own });
    state.set({ album: { ...state.now.album, own } });
  }

  /** Send a JPEG; resolves to its `picture` when the server has checked it. Throws Refused, also when the chat ends first. */
  send(jpeg, limits) {
    const { world, limited, session, Refused } = this.#tools;
    const id = `p${(this.#ids += 1)}`;
    const off = [];
    const stop = () => off.splice(0).forEach((end) => end());
    const start = (done, fail) => {
      const [take, refuse] = [done, fail].map((act) => (value) => (stop(), act(value)));
      if (this.#isOver()) return refuse(this.#refused("no_chat", "the chat is over"));
      const ask = () => session.send({ type: "picture", id });
      let posted; // the newest key
      const upload = async ({ id: of, key, within }) => {
        if (of !== id) return;
        posted = key;
        const request = { method: "POST", body: jpeg, headers: { "Content-Type": "image/jpeg" }, signal: AbortSignal.timeout(within * 1000) };
        const answer = await world.fetch(this.#place(key), request).catch(() => null); // without an answer it may have arrived
        if (key === posted && answer && answer.status !== 204) refuse(this.#refused("no_picture", `refused with ${answer.status}`, id));
      };
      const resumed = ({ chat, album }) => {
        if (chat !== this.#chat) return;
        const sent = album?.sent?.find(({ own, key }) => own && key === posted);
        if (sent) take({ type: "picture", ...sent, id });
        else ask();
      };
      const error = (event) => event.of === "picture" && event.id === id && refuse(new Refused(event));
      off.push(
        this.#me.on("upload", upload),
        this.#me.on("picture", (event) => event.id === id && take(event)),
        this.#me.on("error", error),
        this.#me.on("resumed", resumed),
        this.#me.subscribe(() => this.#isOver() && refuse(this.#refused("no_chat", "the chat is over", id))),
      );
      if (this.#isConnected()) ask();
    };
    return limited(world, { timeout: ANSWER, ...limits }, start, stop);
  }

  /** Fetch a picture by its key, as a Blob; null: it is unknown, or the chat is over. */
  fetch(key, limits) {
    const end = new AbortController();
    const { world, limited } = this.#tools;
    const load = async () => {
      const answer = await world.fetch(this.#place(key), { signal: end.signal });
      return answer.ok ? answer.blob() : null;
    };
    return limited(world, limits, (done, fail) => void load().then(done, fail), () => end.abort());
  }

  get #now() {
    return this.#tools.state.now.album;
  }

  #isOver() {
    return this.#me.chat?.chat !== this.#chat;
  }

  /** Whether a frame can be sent now; else it is sent behind the resume. */
  #isConnected() {
    return this.#tools.state.now.link === "open";
  }

  #place(key) {
    return new URL(`/api/picture/${key}`, this.#me.url.replace(/^ws/, "http")).href;
  }

  #refused(code, message, id) {
    return new this.#tools.Refused({ code, message, of: "picture", id });
  }
}

/** Begin with the pictures of the client's chat. */
export const album = (me, tools) => new Album(me, tools);
