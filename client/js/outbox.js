// Keep sent messages until the server confirms them, also across reconnections. **Invariant:** each message is settled exactly once.
//
// The server counts the `message` frames of a chat (`taken`, refused ones included), and so does this side: after a resume the difference
// shows which frames never arrived. The messages of an ended chat stay here: the server reads what was sent before `leave` or `find`
// (docs/protocol.md, rule 3), so its answer is still to come.
import { NotSent } from "./errors.js";
import { fate } from "./lines.js";

/**
 * A line is {id, text, ordinal: 0 until it is sent in the current count, done(answer), fail(error), behind: its chat has ended}.
 * `changed(line, state, seq)` follows their states: queued, sending, sent, refused.
 */
export class Outbox {
  texts = []; // not settled, oldest first
  #count = 0;
  #changed;

  constructor(changed) {
    this.#changed = changed;
  }

  add(line) {
    this.texts.push(line);
    this.#changed(line, "queued");
  }

  /** Send unsent lines, oldest first, while at most `most` are unconfirmed. */
  flush(send, most) {
    let flying = this.texts.filter(({ ordinal }) => ordinal).length;
    for (const line of this.texts) {
      if (line.ordinal || (flying += 1) > most) continue;
      line.ordinal = this.#count += 1;
      this.#changed(line, "sending");
      send({ type: "message", text: line.text, id: line.id });
    }
  }

  /** Settle the line that the server answered: accepted as `seq`, or refused with an `error`. Returns it, if it is one of these. */
  answer(id, seq, error) {
    const line = this.texts.find((one) => one.id === id);
    if (line) this.#settle(line, error?.code, seq, error?.retry_after);
    return line;
  }

  /** Settle lines after a resume of their chat. `left`: this side has left it meanwhile, so that what never arrived stays unsent. */
  resume(frame, left) {
    if (!left) this.#count = frame.taken;
    for (const line of [...this.texts]) {
      if (!line.behind === left) continue;
      const state = fate(line.ordinal, frame);
      if (state) this.#settle(line, state === "refused" && state, null);
      else if (left) this.#settle(line, "left");
      else line.ordinal = 0;
    }
  }

  /** End the chat: unsent lines fail with `code`; sent ones await their answer. */
  part(code) {
    this.#count = 0;
    for (const line of [...this.texts])
      if (line.ordinal) line.behind = true;
      else this.#settle(line, code);
  }

  /** Fail the lines of the chat before, which no answer can reach any more. */
  forget() {
    for (const line of this.texts.filter(({ behind }) => behind)) this.#settle(line, "unknown");
  }

  /** Fail a line that the caller no longer waits for. A sent one may arrive, and stays in the count. */
  withdraw(line, code) {
    if (line.ordinal) line.fail(new NotSent(line.text, "unknown"));
    else this.#settle(line, code);
  }

  #settle(line, code, seq, after) {
    this.texts.splice(this.texts.indexOf(line), 1);
    this.#changed(line, code ? "refused" : "sent", seq);
    if (code) line.fail(new NotSent(line.text, code, after));
    else line.done({ seq });
  }
}
