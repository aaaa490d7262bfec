// What a stranger writes is text, never markup, and can disguise nothing: each piece is isolated by its element (unicode-bidi),
// and the controls that turn the order of letters around are not shown.

const TURNING = /[\u202a-\u202e\u2066-\u2069]/g; // embeddings, overrides, isolates: a line has no use for them, a disguise has
const SEEN = /[^\p{Cc}\p{Cf}\p{Zs}\p{Zl}\p{Zp}\u115f\u1160\u3164\uffa0\u2800\u034f\ufe00-\ufe0f]/u; // something that leaves a mark

/** Halves of a letter that stand alone cannot be sent. Browsers of before 2023 have no word of their own for it. */
export const whole = (text) => text.replace(/\p{Surrogate}/gu, "\ufffd");
export const clean = (text) => text.replace(TURNING, "");
export const blank = (text) => !SEEN.test(text);
