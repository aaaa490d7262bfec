// The socket: one at a time, opened when told to, looked after when the device wakes. What a frame means is reduce's business.

import { CLOSE, CLOSE_NONE } from "./protocol.js";

const CONNECTING = 5000; // ms that a handshake is given
const SILENT = 10000; // ms without a frame, after a wake, before the socket is asked whether it lives
const QUIET = 15000; // ms without a frame, in a chat, before it is asked: a path can die without a sign
const ANSWER = 3000; // ms that it has to answer
const GONE = 4000; // our close code for "presumed dead": any but 1000, which would mean that the person left

/** `tell(type, detail)` hears open, frame, closed, retrying; `policy(attempt, random, soon)` gives milliseconds. */
export function makeWire(url, tell, policy) {
  let socket = null;
  let heard = 0;
  let retry = 0;
  let patience = 0;
  let asked = 0;
  let due = 0;

  function drop(code) {
    if (!socket) return;
    const old = socket;
    socket = null;
    old.onopen = old.onmessage = old.onclose = null;
    clearTimeout(patience);
    old.close(GONE);
    tell("closed", { code });
  }

  /** Whoever is there answers; without an answer the socket is presumed dead. */
  function ask() {
    if (socket?.readyState !== WebSocket.OPEN || asked > heard) return;
    asked = Date.now();
    socket.send('{"type":"ping"}');
    clearTimeout(patience);
    patience = setTimeout(() => drop(CLOSE_NONE), ANSWER);
  }

  function listen() {
    due = setTimeout(
      () => {
        if (Date.now() - heard >= QUIET) ask();
        listen();
      },
      Math.max(1000, QUIET - (Date.now() - heard)),
    );
  }

  function open() {
    clearTimeout(retry);
    retry = 0;
    if (socket) return;
    const mine = new WebSocket(url, "serendip.v1");
    socket = mine;
    patience = setTimeout(() => drop(CLOSE_NONE), CONNECTING);
    mine.onopen = () => {
      clearTimeout(patience);
      heard = Date.now();
      tell("open");
    };
    mine.onmessage = ({ data }) => {
      heard = Date.now();
      clearTimeout(patience);
      let frame = null;
      try {
        frame = JSON.parse(data);
      } catch {
        drop(CLOSE.encoding);
      }
      if (frame && typeof frame.type === "string") tell("frame", { frame });
    };
    mine.onclose = ({ code }) => {
      if (socket !== mine) return;
      socket = null;
      clearTimeout(patience);
      tell("closed", { code });
    };
    tell("connecting");
  }

  return {
    open,
    send(frame) {
      if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(frame));
    },
    /** Try again after the policy's wait, but not before `least` ms (the server's `retry_after`). */
    later(attempt, least, soon) {
      clearTimeout(retry);
      const wait = Math.max(policy(attempt, Math.random(), soon), least && least * (1 + Math.random() / 4));
      retry = setTimeout(open, wait);
      tell("retrying", { at: Date.now() + wait });
    },
    /** The network or the device came back: try at once, or ask the socket whether it is still there. */
    wake() {
      if (!socket) {
        if (retry) open();
      } else if (Date.now() - heard > SILENT) ask();
    },
    ask,
    /** While `on`, silence is not believed for long. */
    guard(on) {
      clearTimeout(due);
      if (on) listen();
    },
    /** The network is gone for certain. */
    cut: () => drop(CLOSE_NONE),
  };
}
