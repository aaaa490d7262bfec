// Run the connection: one at a time, opened on command, checked when the device wakes. The caller decides what a frame means.

import { CLOSE, CLOSE_NONE } from "./protocol.js";

const CONNECTING = 5000; // ms for a handshake
const SILENT = 10000; // ms without a frame, after a wake, before the socket is pinged
const QUIET = 15000; // ms without a frame, in a chat, before it is pinged: a path can fail without a sign
const ANSWER = 3000; // ms for its answer
const OPEN = 1; // WebSocket.OPEN
const GONE = 4000; // close code for a presumed dead connection: any but 1000, which would mean that the user left

/**
 * Make a link. `tell(type, detail)` receives connecting, open, frame, closed, retrying; `policy(attempt, random, soon)` returns
 * milliseconds. `world`: WebSocket, the timers and Date, which a test replaces.
 * @param {string} url
 * @param {(type: string, detail?: any) => void} tell
 * @param {(attempt: number, random: number, soon?: boolean) => number} policy
 * @param {any} world
 */
export function makeLink(url, tell, policy, world = globalThis) {
  let socket = null;
  let heard = 0;
  let retry = 0;
  let patience = 0;
  let asked = 0;
  let due = 0;
  let Socket = null;
  const { setTimeout, clearTimeout, Date } = world;

  function drop(code) {
    if (!socket) return;
    const old = socket;
    socket = null;
    old.onopen = old.onmessage = old.onclose = null;
    clearTimeout(patience);
    old.close(GONE);
    tell("closed", { code });
  }

  /** Ping the server; without an answer the socket is presumed dead. */
  function ask() {
    if (socket?.readyState !== OPEN || asked > heard) return;
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

  function open(kind) {
    clearTimeout(retry);
    retry = 0;
    if (socket) return;
    Socket = kind ?? Socket ?? world.WebSocket;
    const mine = new Socket(url, "serendip.v1");
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
      tell("closed", { code: code || CLOSE_NONE }); // Deno has 0 for a connection that was cut
    };
    tell("connecting");
  }

  /** Close the socket for good (1000), without telling of it. */
  function close() {
    clearTimeout(retry);
    clearTimeout(patience);
    retry = 0;
    const old = socket;
    socket = null;
    if (!old) return;
    old.onopen = old.onmessage = old.onclose = null;
    old.close(1000);
  }

  return {
    open,
    send(frame) {
      if (socket?.readyState === OPEN) socket.send(JSON.stringify(frame));
    },
    close() {
      clearTimeout(due);
      close();
    },
    /** Close for good, and connect anew at once: for another session. */
    reopen() {
      close();
      open();
    },
    /** Connect after the wait of the policy, but not before `least` ms (the `retry_after` of the server). */
    later(attempt, least, soon) {
      clearTimeout(retry);
      const wait = Math.max(policy(attempt, Math.random(), soon), least && least * (1 + Math.random() / 4));
      retry = setTimeout(() => open(), wait);
      tell("retrying", { at: Date.now() + wait });
    },
    /** Connect at once or check the socket, when the network or the device is back. */
    wake() {
      if (!socket) {
        if (retry) open();
      } else if (Date.now() - heard > SILENT) ask();
    },
    ask,
    /** Check silence soon, while `on`. */
    guard(on) {
      clearTimeout(due);
      if (on) listen();
    },
    /** Drop the socket: the network is certainly gone. */
    cut: () => drop(CLOSE_NONE),
  };
}
