// Follow a call that has the whole screen, and tell when nothing stirs there, so that what lies over the picture may fade. Controls under the
// pointer or with the focus stay.
import { useEffect, useState } from "../vendor/hooks.mjs";
import { send } from "../store.js";

const REST = 3000; // ms
const STIRS = ["pointermove", "pointerdown", "keydown", "focusin"];

/** Whether a control is in use. `:hover` counts for a mouse only: after a tap it stays. */
const used = () =>
  document.querySelector(".stage :is(.rail, .over-bar) :focus-visible") ||
  (matchMedia("(hover: hover)").matches && document.querySelector(".stage :is(.rail, .over-bar) :hover"));

/** Return whether nothing stirred for REST, while `on`. */
export function useIdle(on) {
  const [idle, set] = useState(false);
  useEffect(() => {
    if (!on) return undefined;
    let timer = 0;
    const stir = () => {
      clearTimeout(timer);
      set(false);
      timer = setTimeout(() => (used() ? stir() : set(true)), REST);
    };
    for (const name of STIRS) addEventListener(name, stir, { passive: true });
    stir();
    return () => {
      clearTimeout(timer);
      set(false);
      for (const name of STIRS) removeEventListener(name, stir);
    };
  }, [on]);
  return on && idle;
}

/** Track whether the call has the whole screen: the browser and its Escape decide. The end of a call leaves it. */
export function useFull() {
  useEffect(() => {
    const look = () => send("full.is", { on: !!document.fullscreenElement });
    document.addEventListener("fullscreenchange", look);
    return () => {
      document.removeEventListener("fullscreenchange", look);
      if (document.fullscreenElement) void document.exitFullscreen().catch(() => {});
    };
  }, []);
}
