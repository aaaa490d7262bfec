// Compute how long to wait before the next attempt to connect. link.js receives this policy and knows no numbers.

const FIRST = 500; // ms: the first step; each is twice the last
const MOST = 20000; // ms
const SOON = 1500; // ms: the longest step during a chat, which waits for 15 s

/**
 * Return a wait in ms. `attempt` from 1, `random` in [0, 1): between half of the step and all of it, so that many clients reconnect spread
 * over time. `soon`: a partner is waiting.
 * @param {number} attempt
 * @param {number} random
 */
export const backoff = (attempt, random, soon = false) => {
  const step = Math.min(FIRST * 2 ** Math.min(Math.max(attempt, 1) - 1, 16), soon ? SOON : MOST);
  return Math.round(step * (0.5 + random / 2));
};
