// The protocol for the JavaScript client and the page. Generated from engine/wire/protocol.py by `python -m engine.wire.protocol_copy_generator`: do not edit; a test compares the two.

/** The close code of each error that ends the connection. */
export const CLOSE = { protocol: 1002, binary: 1003, encoding: 1007, too_big: 1009, internal: 1011, restart: 1012, busy: 1013, banned: 4003, country: 4003, removed: 4003, flood: 4008, replaced: 4009 };
/** The connection ended without a close frame. */
export const CLOSE_NONE = 1006;
/** Close codes after which a client may connect again. */
export const COME_BACK = [1001, 1006, 1011, 1012, 1013, 4008];
/** Bounds of fields: code points, entries; `pastFor` in seconds. */
export const BOUNDS = { text: 2000, interests: 32, interest: 64, interestRaw: 256, questionMin: 10, question: 200, note: 1000, avoid: 16, pairs: 10, pastFor: 600 };
/** Reactions. */
export const FACES = {"heart": "❤️", "laugh": "😂", "wow": "😮", "sad": "😢", "thumb": "👍", "thanks": "🙏"};
/** Report reasons. */
export const REASONS = ["minor", "nudity", "threat", "hate", "spam", "danger", "other"];
/** Ordinals of refused messages in `resumed`. */
export const REFUSED_KEPT = 200;
/** Pictures for safety: characters of a nonce, pixels of a tile, bytes of a picture. */
export const SNAP = { nonce: 22, tile: [320, 240], bytes: 49152 };
/** Pictures sent to the partner: pixels of the longer and the least side, bytes, seconds to upload one. */
export const SENT = { side: 1280, least: 16, bytes: 196608, within: 30 };
