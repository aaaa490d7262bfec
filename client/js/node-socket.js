// Speak WebSocket in Node 20, which has no `WebSocket` of its own: RFC 6455 over `node:http`, without extensions.
import { createHash, randomBytes } from "node:crypto";
import { request as plain } from "node:http";
import { request as secure } from "node:https";

const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
const MOST = 1 << 20; // bytes of a message
const [TEXT, CLOSE, PING, PONG] = [1, 8, 9, 10];

/** A frame of a client: masked, in one piece. */
function framed(kind, body) {
  const size = body.length;
  const head = size < 126 ? [0x80 | kind, 0x80 | size] : size < 65536 ? [0x80 | kind, 0xfe, size >> 8, size & 255] : null;
  if (!head) throw new RangeError("a message has 64 KiB at most");
  const mask = randomBytes(4);
  return Buffer.concat([Buffer.from(head), mask, body.map((byte, at) => byte ^ mask[at & 3])]);
}

/** The part of a browser's WebSocket that link.js uses. */
export class NodeSocket {
  readyState = 0;
  onopen = null;
  onmessage = null;
  onclose = null;
  #socket = null;
  #request;
  #unread = Buffer.alloc(0);
  #parts = [];
  #code = 1006;

  constructor(url, protocol) {
    const key = randomBytes(16).toString("base64");
    const accept = createHash("sha1").update(key + GUID).digest("base64");
    const headers = {
      Connection: "Upgrade", Upgrade: "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": key, "Sec-WebSocket-Protocol": protocol,
    };
    const place = new URL(url.replace(/^ws/, "http"));
    this.#request = (place.protocol === "https:" ? secure : plain)(place, { headers });
    this.#request.on("upgrade", (answer, socket, head) => this.#opened(answer.headers["sec-websocket-accept"] === accept, socket, head));
    this.#request.on("response", (answer) => (answer.resume(), this.#request.destroy(), this.#over()));
    this.#request.on("error", () => this.#over());
    this.#request.end();
  }

  send(text) {
    if (this.readyState === 1) this.#socket.write(framed(TEXT, Buffer.from(text)));
  }

  close(code = 1000) {
    if (this.readyState > 1) return;
    if (this.#socket) this.#socket.end(framed(CLOSE, Buffer.from([code >> 8, code & 255])));
    else this.#request.destroy();
    this.readyState = 2;
  }

  #opened(right, socket, head) {
    this.#socket = socket;
    if (!right || this.readyState) return socket.destroy(), this.#over();
    this.readyState = 1;
    socket.setNoDelay(true);
    socket.on("error", () => {});
    socket.on("close", () => this.#over());
    socket.on("data", (data) => this.#read(data));
    this.onopen?.();
    if (head.length) this.#read(head);
  }

  #read(data) {
    this.#unread = Buffer.concat([this.#unread, data]);
    for (let frame = this.#frame(); frame && this.readyState < 3; frame = this.#frame()) this.#hear(frame);
  }

  /** Take the first whole frame off the unread bytes, or null. */
  #frame() {
    const bytes = this.#unread;
    if (bytes.length < 2) return null;
    let [size, at] = [bytes[1] & 127, 2];
    if (bytes.length < at + (size === 126 ? 2 : size === 127 ? 8 : 0)) return null;
    if (size === 126) [size, at] = [bytes.readUInt16BE(2), 4];
    else if (size === 127) [size, at] = [Number(bytes.readBigUInt64BE(2)), 10];
    if (size > MOST || bytes[1] & 128) return this.#socket.destroy(), null; // a server's frame has no mask
    if (bytes.length < at + size) return null;
    this.#unread = bytes.subarray(at + size);
    return { last: !!(bytes[0] & 128), kind: bytes[0] & 15, body: bytes.subarray(at, at + size) };
  }

  #hear({ last, kind, body }) {
    if (kind === PING) return this.#socket.write(framed(PONG, body));
    if (kind === CLOSE) {
      this.#code = body.length >= 2 ? body.readUInt16BE(0) : 1005;
      if (this.readyState === 1) this.#socket.end(framed(CLOSE, body.subarray(0, 2)));
      return (this.readyState = 2);
    }
    if (kind > 2) return;
    this.#parts.push(body);
    if (!last) return;
    const data = Buffer.concat(this.#parts.splice(0)).toString();
    this.onmessage?.({ data });
  }

  #over() {
    if (this.readyState === 3) return;
    this.readyState = 3;
    this.onclose?.({ code: this.#code });
  }
}
