// Provide React hooks: one client for a component's life, its state, its events.
import { useEffect, useRef, useState, useSyncExternalStore } from "react";
import { Client } from "./v1.js";

const NONE = Object.freeze({ link: "connecting", phase: "idle", online: 0, waiting: null, chat: null, lines: Object.freeze([]), typing: false, away: false, notice: null, challenge: null, error: null, closed: null });
const never = () => () => {};

/** Return the client of this component, null before its first effect; it is closed with the component, and made anew for another `url`. */
export function useClient(url, options) {
  const [me, setMe] = useState(null);
  useEffect(() => {
    const made = new Client(url, options);
    setMe(made);
    return () => void made.close();
  }, [url]); // `options` count when it is made
  return me;
}

/** Return the snapshot of a client (or of none yet), at each change. */
export const useSnapshot = (me) =>
  useSyncExternalStore(me ? me.subscribe : never, me ? me.getSnapshot : () => NONE, () => NONE);

/** Call `hear` with each event of this type (`*`: of all) while the component is there; the newest `hear` is called. */
export function useEvent(me, type, hear) {
  const newest = useRef(hear);
  newest.current = hear;
  useEffect(() => me?.on(type, (event) => newest.current(event)), [me, type]);
}

/** Return [client, snapshot]. */
export function useStranger(url, options) {
  const me = useClient(url, options);
  return [me, useSnapshot(me)];
}
