// Run the connection: one at a time, opened on command, checked when the device wakes. The caller decides what a frame means.

import { CLOSE, CLOSE_NONE } from "./protocol.js";

// In a chat these are shares of the time for which the partner waits, and no longer than outside of one.
const CONNECTING = 5000; // ms for a handshake and the first frame
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
  let waits = 0; // seconds for which a partner waits for this side; 0: none does
  let Socket;
  let Poll; // its replacement where proxies cut WebSockets, once it was needed
  let failed = 0; // attempts in a row without a frame by WebSocket
  const { setTimeout, clearTimeout, Date } = world;

  /** Close the socket, if there is one, without telling of it. */
  function shut(code) {
    const old = socket;
    socket = null;
    clearTimeout(patience);
    if (!old) return;
    old.onopen = old.onmessage = old.onclose = null;
    old.close(code);
  }

  function drop(code = CLOSE_NONE) {
    if (!socket) return;
    shut(GONE);
    if (failed > 1) import("./polls.js").then((made) => made.open(url, world, (kind) => (Poll = kind)), () => {});
    tell("closed", { code });
  }

  function wait(act, share, most) {
    clearTimeout(patience);
    patience = setTimeout(act, Math.min((waits * 1000) / share || most, most));
  }

  /** Expect frames: in a chat a silence is a reason to ask. */
  function rest() {
    clearTimeout(patience);
    if (waits) wait(ask, 3, QUIET);
  }

  /** Ping the server; without an answer the socket is presumed dead. */
  function ask() {
    if (socket?.readyState !== OPEN || asked > heard) return;
    asked = Date.now();
    socket.send('{"type":"ping"}');
    wait(drop, 5, ANSWER);
  }

  function open(kind) {
    clearTimeout(retry);
    retry = 0;
    if (socket) return;
    Socket = kind ?? Socket ?? world.WebSocket;
    const polls = failed > 1 && Poll;
    failed = polls ? 1 : failed + 1; // behind polls a WebSocket is tried once
    const mine = new (polls || Socket)(url, "serendip.v1", world);
    socket = mine;
    wait(drop, Poll && !polls ? 6 : 3, CONNECTING); // two attempts, where polls were needed
    mine.onopen = () => {
      heard = Date.now();
      tell("open");
    };
    mine.onmessage = ({ data }) => {
      heard = Date.now();
      rest();
      if (!polls) failed = 0;
      let frame = null;
      try {
        frame = JSON.parse(data);
      } catch {
        drop(CLOSE.encoding);
      }
      if (frame?.type) tell("frame", { frame });
    };
    mine.onclose = ({ code }) => drop(code || CLOSE_NONE); // Deno has 0 for a connection that was cut
    tell("connecting");
  }

  return {
    open,
    send(frame) {
      if (socket?.readyState === OPEN) socket.send(JSON.stringify(frame));
    },
    /** Close the socket for good (1000), without telling of it. */
    close() {
      clearTimeout(retry);
      retry = 0;
      shut(1000);
    },
    /** Connect after the wait of the policy, but not before `least` ms (the `retry_after` of the server). */
    later(attempt, least, soon) {
      clearTimeout(retry);
      const after = Math.max(policy(attempt, Math.random(), soon), least && least * (1 + Math.random() / 4));
      retry = setTimeout(open, after);
      tell("retrying", { at: Date.now() + after });
    },
    /** Connect at once or check the socket, when the network or the device is back. */
    wake() {
      if (!socket) {
        if (retry) open();
      } else if (Date.now() - heard > SILENT) ask();
    },
    ask,
    /** Notice a silence, and connect, while a partner waits so many seconds (0: none does). */
    guard(grace) {
      if (waits !== (waits = grace) && waits) rest();
    },
    /** Drop the socket: the network is certainly gone. */
    cut: () => drop(),
  };
}
