// The one place that holds the state. An event goes in, `reduce` decides, effects go out, views are told.

let state = null;
let decide = null;
let run = () => {};
const watchers = new Set();

export const get = () => state;

export function start(reduce, first, effects) {
  [decide, state, run] = [reduce, first, effects];
}

/** Tell what happened: `send("say", {text})`. The time is taken here, once, and passed in. */
export function send(type, detail = {}) {
  if (!decide) return;
  const [next, ...effects] = decide(state, { ...detail, type }, Date.now());
  if (next !== state) show(next);
  for (const effect of effects) run(effect, state);
}

/** Put a state up as it is (start, and the gallery of canned states). */
export function show(next) {
  state = next;
  for (const watch of watchers) watch(state);
}

export function subscribe(watch) {
  watchers.add(watch);
  return () => watchers.delete(watch);
}
