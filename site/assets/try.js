// Two clients of one chat, with their frames. They speak the wire by hand, so that each frame is seen as it travels.
const LINES = 200; // frames that a pane shows

const element = (name, values = {}, ...children) => {
  const made = Object.assign(document.createElement(name), values);
  made.append(...children);
  return made;
};

class Pane {
  constructor(section, name) {
    this.name = name;
    this.count = 0;
    this.chat = element("ol", { className: "chat" });
    this.frames = element("ol", { className: "frames" });
    this.text = element("input", { placeholder: "Say something", disabled: true, maxLength: 2000 });
    this.own = element("input", { value: '{"type":"ping"}', spellcheck: false, disabled: true });
    this.text.setAttribute("aria-label", `${name} says`);
    this.own.setAttribute("aria-label", `a frame of ${name}`);
    this.leave = element("button", { type: "button", textContent: "Leave", disabled: true, onclick: () => this.send({ type: "leave" }) });
    this.search = element("button", { type: "button", textContent: "Search", disabled: true, onclick: () => this.find() });
    const say = element("form", {}, this.text, element("button", { textContent: "Send" }), this.search, this.leave);
    const raw = element("form", {}, this.own, element("button", { textContent: "Send frame" }));
    say.onsubmit = (event) => {
      event.preventDefault();
      if (this.text.value) this.send({ type: "message", text: this.text.value, id: `${name}${++this.count}` });
      this.text.value = "";
    };
    raw.onsubmit = (event) => {
      event.preventDefault();
      this.write(this.own.value);
    };
    this.text.oninput = () => this.types(this.text.value !== "");
    section.replaceChildren(element("h3", { textContent: `Client ${name}` }), this.chat, say, this.frames, raw);
  }

  connect(address, topic) {
    this.socket?.close(1000);
    this.chat.replaceChildren();
    this.frames.replaceChildren();
    this.topic = topic;
    this.said = new Map();
    const socket = (this.socket = new WebSocket(address, "serendip.v1"));
    return new Promise((opened, failed) => {
      socket.onopen = () => {
        this.use(true);
        opened();
      };
      socket.onmessage = ({ data }) => this.hear(data);
      socket.onclose = ({ code }) => {
        if (this.socket !== socket) return;
        this.use(false);
        this.note(`closed (${code})`);
        failed(new Error(`${address}: closed (${code})`));
      };
    });
  }

  use(open) {
    for (const one of [this.text, this.own, this.leave, this.search]) one.disabled = !open;
  }

  find() {
    this.send({ type: "find", interests: [this.topic], language: "en" });
  }

  types(typing) {
    if (this.typing !== typing) this.send({ type: "typing", typing });
    this.typing = typing;
  }

  send(frame) {
    if (frame.type === "message") {
      this.said.set(frame.id, frame.text);
      this.typing = false;
    }
    this.write(JSON.stringify(frame));
  }

  write(text) {
    if (this.socket?.readyState !== WebSocket.OPEN) return;
    this.socket.send(text);
    this.frame("→", text, "out");
  }

  hear(text) {
    this.frame("←", text, "in");
    const frame = JSON.parse(text);
    if (frame.type === "hello") this.find();
    else if (frame.type === "matched") this.note("in a chat");
    else if (frame.type === "message") this.line("Stranger", frame.text);
    else if (frame.type === "sent" && this.said.has(frame.id)) this.line("You", this.said.get(frame.id));
    else if (frame.type === "left") this.note("the other left");
    else if (frame.type === "error") this.note(frame.message);
  }

  line(who, text) {
    this.add(this.chat, element("li", {}, element("b", { textContent: `${who}: ` }), text));
  }

  note(text) {
    this.add(this.chat, element("li", {}, element("em", { textContent: text })));
  }

  frame(arrow, text, className) {
    this.add(this.frames, element("li", { className, textContent: `${arrow} ${text}` }));
  }

  add(list, item) {
    list.append(item);
    if (list.children.length > LINES) list.firstChild.remove();
    list.scrollTop = list.scrollHeight;
  }
}

const at = (id) => document.getElementById(id);
const panes = [...document.querySelectorAll("[data-pane]")].map((section) => new Pane(section, section.dataset.pane));
at("origin").textContent = location.origin;

function socketOf(text) {
  const url = new URL(text.includes("://") ? text : `http://${text}`);
  url.protocol = url.protocol.replace("http", "ws");
  url.pathname = "/ws";
  return url.href;
}

async function connect() {
  const bytes = crypto.getRandomValues(new Uint8Array(6));
  const topic = `try ${[...bytes].map((one) => one.toString(16).padStart(2, "0")).join("")}`;
  at("try-state").textContent = "Connecting…";
  try {
    const address = socketOf(at("address").value || at("address").placeholder);
    await Promise.all(panes.map((pane) => pane.connect(address, topic)));
    at("try-state").textContent = `Connected to ${address}.`;
  } catch (error) {
    at("try-state").textContent = `${error.message}. Is the server there, and does it list ${location.origin}?`;
  }
}

at("try-server").onsubmit = (event) => {
  event.preventDefault();
  void connect();
};
if (at("address").value) void connect();
