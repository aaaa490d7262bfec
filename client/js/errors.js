// Define what calls throw: a message that was not sent, a refused request, a wrong field, a client that has ended.

const made = (error, name, more) => Object.assign(error, { name, ...more });

/** A message that was not delivered, with its `text`. `code`: docs/protocol.md, "Errors", or closed, left, lost, unknown, aborted, timeout. */
export class NotSent extends Error {
  /** @param {string} text @param {string} code @param {number} [retryAfter] seconds */
  constructor(text, code, retryAfter) {
    made(super(`not sent: ${code}`), "NotSent", { text, code, retryAfter });
  }
}

/** A request that the server refused. `of`: the frame's type; `field`: the wrong field of `bad_field`; `frame`: the whole error. */
export class Refused extends Error {
  constructor(frame) {
    const { code, of, field, retry_after: retryAfter } = frame;
    made(super(field ? `${frame.message} (${of}: ${field})` : frame.message), "Refused", { code, of, field, retryAfter, frame });
  }
}

/** The client has ended: closed by this side, by the server for good, or given up. */
export class Disconnected extends Error {
  /** @param {number} code @param {string} reason */
  constructor(code, reason) {
    made(super(reason), "Disconnected", { code });
  }
}

/** A field of a call that the protocol does not allow. `field`: its name. */
export class WrongField extends TypeError {
  /** @param {string} of @param {string} field @param {string} why */
  constructor(of, field, why) {
    made(super(`${of}: ${field} ${why}`), "WrongField", { field });
  }
}
