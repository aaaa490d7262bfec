// Measure the quality of the connection from getStats over five seconds, the worse of both directions: three levels. No address is read.

const WINDOW = 5;

/** Return `good`, `weak` or `bad` for lost packets (share) and the round trip (seconds). */
export const level = (loss, trip) => (loss > 0.12 || trip > 0.8 ? "bad" : loss > 0.05 || trip > 0.4 ? "weak" : "good");

/** Make a meter that reports a new level, and returns the present one, each time that it gets statistics. */
export function makeMeter(tell) {
  const samples = [];
  let said = null;
  return async (stats) => {
    let [lost, got, trip, theirs] = [0, 0, 0, 0]; // `theirs`: the share of own packets that they lost
    for (const entry of (await stats).values()) {
      if (entry.type === "inbound-rtp") [lost, got] = [lost + Math.max(0, entry.packetsLost ?? 0), got + (entry.packetsReceived ?? 0)];
      if (entry.type === "remote-inbound-rtp") theirs = Math.max(theirs, entry.fractionLost ?? 0);
      if (entry.type === "candidate-pair" && entry.nominated) trip = Math.max(trip, entry.currentRoundTripTime ?? 0);
    }
    samples.push([lost, got]);
    if (samples.length > WINDOW) samples.shift();
    const [before, after] = [samples[0], samples.at(-1)];
    const all = after[0] - before[0] + after[1] - before[1];
    const now = level(Math.max(theirs, all > 0 ? (after[0] - before[0]) / all : 0), trip);
    if (now !== said) tell("call.quality", { level: (said = now) });
    return now;
  };
}
