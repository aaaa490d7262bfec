// Notify a user who looks elsewhere: a tone, a vibration, a notification, a dot on the icon, a badge on the installed page.
import { get, subscribe } from "./store.js";
import { t } from "./words.js";

const TAG = "serendip"; // one notification at a time: the next replaces it
const BUZZ = 80; // ms

const icon = (name) => new URL(`./icons/${name}.svg`, import.meta.url).href;
let shown = null; // shown by the window itself, if there is no service worker
let dot = false;

const worker = async () => (await navigator.serviceWorker?.getRegistration().catch(() => null)) ?? null;

/** Show a notification through the worker, as phones need it; else by the window. A failure is ignored: the title shows it too. */
async function notify(key) {
  const [title, options] = [t(key), { tag: TAG, icon: new URL("./icons/icon-192.png", import.meta.url).href, lang: document.documentElement.lang, silent: true }];
  try {
    const registration = await worker();
    if (registration?.active) {
      registration.active.postMessage({ title, options: { ...options, silent: undefined, vibrate: [BUZZ] } });
      return;
    }
    shown = new Notification(title, options);
    shown.onclick = () => (window.focus(), shown?.close());
  } catch {
    // a phone without a worker
  }
}

async function withdraw() {
  shown?.close();
  shown = null;
  for (const old of (await (await worker())?.getNotifications?.({ tag: TAG }).catch(() => [])) ?? []) old.close();
}

/** Notify: `tone`, `buzz`, and `notice`, the key of the notification. It vibrates if the page is visible, and shows the notification if not. */
export function act({ tone, buzz, notice }) {
  if (tone) void import("./sound.js").then(({ chime }) => chime()).catch(() => {}); // no network: no tone
  if (buzz && !document.hidden) navigator.vibrate?.(BUZZ);
  if (notice && globalThis.Notification?.permission === "granted") void notify(notice);
}

/** Ask for permission, within a press. */
export const permit = async () => (globalThis.Notification ? Notification.requestPermission() : "denied");

/** Show the dot while an event has not been seen. */
function look({ visible, chat, phase }) {
  const waits = !visible && !!chat && (chat.unseen > 0 || (chat.fresh && phase === "chat")) ? Math.max(1, chat.unseen) : 0;
  if (!!waits !== dot) {
    dot = !!waits;
    document.querySelector("link[rel=icon]").href = icon(dot ? "icon-dot" : "icon");
    if (!dot) void withdraw();
  }
  const badge = waits ? navigator.setAppBadge?.(waits) : navigator.clearAppBadge?.();
  badge?.catch(() => {});
}

subscribe(look);
look(get());
