// Hold the state, and nothing else does. An event is sent in, `reduce` decides, effects are run, views are rendered.

let state = null;
let decide = null;
let run = () => {};
const watchers = new Set();

export const get = () => state;

export function start(reduce, first, effects) {
  [decide, state, run] = [reduce, first, effects];
}

/** Send an event: `send("say", {text})`. The time is read here, once, and passed in. */
export function send(type, detail = {}) {
  if (!decide) return;
  const [next, ...effects] = decide(state, { ...detail, type }, Date.now());
  if (next !== state) show(next);
  for (const effect of effects) run(effect, state);
}

/** Replace the state (at the start, and for the gallery of canned states). */
export function show(next) {
  state = next;
  for (const watch of watchers) watch(state);
}

export function subscribe(watch) {
  watchers.add(watch);
  return () => watchers.delete(watch);
}
