// Compute how long to wait before the next attempt to connect. wire.js receives this policy and knows no numbers.

const STEPS = [500, 1000, 2000, 4000, 8000, 15000, 20000]; // ms; then 20 s for ever
const SOON = 1500; // ms: the longest step during a chat, which waits for 15 s

/**
 * Return a wait in ms. `attempt` from 1, `random` in [0, 1): between half of the step and all of it, so that many clients reconnect spread
 * over time. `soon`: a partner is waiting.
 */
export const backoff = (attempt, random, soon = false) => {
  const step = Math.min(STEPS[Math.min(Math.max(attempt, 1), STEPS.length) - 1], soon ? SOON : Infinity);
  return Math.round(step * (0.5 + random / 2));
};
