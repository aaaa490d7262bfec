// Show the text of strangers as text, never as markup, and without disguises: each piece is isolated by its element (unicode-bidi), and
// controls that reverse the order of letters are removed.

const TURNING = /[\u202a-\u202e\u2066-\u2069]/g; // embeddings, overrides, isolates: of no use in a line, but for a disguise
const SEEN = /[^\p{Cc}\p{Cf}\p{Zs}\p{Zl}\p{Zp}\u115f\u1160\u3164\uffa0\u2800\u034f\ufe00-\ufe0f]/u; // a visible character

/** Replace unpaired surrogates, which cannot be sent. Browsers from before 2023 have no function for it. */
export const whole = (text) => text.replace(/\p{Surrogate}/gu, "\ufffd");
export const clean = (text) => text.replace(TURNING, "");
export const blank = (text) => !SEEN.test(text);
