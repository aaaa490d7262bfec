// Read the stored pairs: users who both chose to meet again, each `token until face` (Unix seconds; a number of face.js), the newest last.
const DAYS = 120 * 86_400; // seconds that a token is good for

/** Return a stored pair as {token, until, face, met}. */
export function pairOf(entry) {
  const [token, until, face] = entry.split(" ");
  return { token, until: Number(until), face: Number(face) & 0xffff, met: Number(until) - DAYS };
}

/** Return the entry of a stored pair without its token: enough to tell it from the others. */
export const markOf = (entry) => entry?.slice(entry.indexOf(" ") + 1);

/** Return the entry of a pair, as it is stored. */
export const entryOf = ({ token, until, face }) => `${token} ${until} ${face}`;

/** Return those stored pairs that are good at this time (ms). */
export const good = (entries, now) => entries.filter((entry) => /^[\w-]{1,80} \d+ \d+$/.test(entry) && pairOf(entry).until * 1000 > now);

export const tokensOf = ({ prefs }) => prefs.pairs.map((entry) => pairOf(entry).token);

const EVERY = 30_000; // ms between two questions while home is on the screen

/** Ask, on the home screen, which of them search now; and again while it is on the screen. */
export const askHere = (state) =>
  state.prefs.pairs.length && state.phase === "home" && state.link.settled && state.visible
    ? [
        { do: "send", frame: { type: "here", pairs: tokensOf(state) } },
        { do: "timer", name: "here", ms: EVERY },
      ]
    : [];

/** Return what a chat that was a call has of the pair: its entry, and the face by which the two know each other. */
export function paired({ find, prefs }) {
  const pair = prefs.pairs[find?.extra?.call];
  return pair ? { pair, face: pairOf(pair).face } : {};
}
