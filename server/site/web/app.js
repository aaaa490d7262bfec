// Start the page: read choices and offers, make the store and the socket, render the first view.
import { render } from "./vendor/preact.mjs";
import { backoff } from "./client/backoff.js";
import { keepPrompt, makeEffects } from "./effects.js";
import { html } from "./html.js";
import { allowed, avoidIn, keptCollege, recall, wayBack } from "./keep.js";
import { watchKeys } from "./keys.js";
import { ofBrowser } from "./languages.js";
import { offers } from "./offers.js";
import { good } from "./pairs.js";
import { counts, reduce } from "./reduce.js";
import { usable } from "./reduce/find.js";
import { hasNewStatement } from "./reduce/sheets.js";
import { defaults, first } from "./reduce/state.js";
import { soon } from "./parts/later.js";
import { rest } from "./rest.js";
import { get, send, show, start, subscribe } from "./store.js";
import { App, titleOf } from "./views/app.js";
import { makeLink } from "./client/link.js";
import { languageFor, load } from "./words.js";

function watchBrowser() {
  addEventListener("online", () => send("online"));
  addEventListener("offline", () => send("offline"));
  addEventListener("pageshow", (event) => event.persisted && send("wake"));
  addEventListener("storage", ({ key, newValue }) => {
    if (key !== "serendip" || !newValue) return;
    const avoid = avoidIn(newValue); // another tab of this browser blocked a user
    if (avoid && String(avoid) !== String(get().prefs.avoid)) send("avoid.elsewhere", { avoid });
  });
  document.addEventListener("visibilitychange", () => send("visible", { on: !document.hidden }));
  addEventListener("beforeinstallprompt", (event) => {
    event.preventDefault(); // offered in the settings, never by a pop-up
    keepPrompt(event);
    send("installable", { on: true });
  });
}

/** Tick once a second, while a view counts seconds. */
function watchSeconds() {
  let ticking = 0;
  subscribe((state) => {
    if (counts(state) === !!ticking) return;
    if (ticking) ticking = clearInterval(ticking) ?? 0;
    else ticking = setInterval(() => send("tick"), 1000);
  });
}

/** Watch the connection during a chat: silence may come from the partner or from the network, which the wire tells apart. */
function watchSilence(wire) {
  subscribe(({ phase, me }) => wire.guard(phase === "chat" && me.grace));
}

/** Fetch what a chat needs at its beginning, and what is needed without delay. A failure is ignored: it is fetched again when needed. */
function prepare() {
  const views = [import("./views/report.js"), import("./views/menus.js"), import("./views/save.js")];
  const more = [import("./back.js"), import("./viewport.js"), import("./swipe.js"), import("./calling.js"), import("./tabs.js")];
  Promise.all([rest(), ...views, ...more, ...soon.map((ask) => ask())]).catch(() => {});
}

/** Fetch the rest with a search, and each time that the connection is back: a report in the chat must not wait for it. */
function watchSearch() {
  let before = false;
  subscribe(({ phase, link }) => {
    const wanted = link.settled && (phase === "waiting" || phase === "chat");
    if (wanted && !before) prepare();
    if (phase === "waiting" && !history.state?.room) history.pushState({ room: true }, ""); // as back.js does, which is not loaded yet
    before = wanted;
  });
}

/** Return a trusted script address. Only two scripts run beside the page: the service worker, and the one that solves puzzles. */
const beside = (url) => {
  const { origin, pathname } = new URL(url, location.href);
  return origin === location.origin && /^\/sw\.js$|\/vendor\/pbkdf2\.js$/.test(pathname) ? url : "";
};
const policy = window.trustedTypes?.createPolicy("serendip-worker", { createScriptURL: beside });
const trusted = (url) => (policy ? policy.createScriptURL(url) : url);

/**
 * Render states into `root`, one after another. A component that sends an event while the page is rendered causes a second rendering:
 * inside the first it would leave that one with detached nodes.
 */
function drawer(root) {
  let wanted = null;
  let drawing = false;
  return (state) => {
    wanted = state;
    if (drawing) return;
    drawing = true;
    try {
      while (wanted) {
        const next = wanted;
        wanted = null;
        render(
          html`
            <${App} state=${next} />
          `,
          root,
        );
        document.title = titleOf(next);
      }
    } finally {
      drawing = false;
    }
  };
}

function watchServiceWorker() {
  if ("serviceWorker" in navigator) navigator.serviceWorker.register(trusted("/sw.js")).catch(() => {}); // refused: the page works without it
}

async function main() {
  const kept = recall({ ...defaults, language: ofBrowser() });
  const prefs = {
    ...kept,
    tags: usable(kept.tags),
    pairs: good(kept.pairs, Date.now()),
    language: /^(\*|[a-z]{2,3}(-[A-Za-z0-9]{1,8}){0,3})$/.test(kept.language) ? kept.language : ofBrowser(),
  };
  const [config, reads] = await Promise.all([offers(), load(languageFor(prefs.words)).catch(() => load("en"))]);
  const way = wayBack();
  const root = document.getElementById("app");
  const wire = makeLink(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws`, send, backoff);
  const can = {
    keep: allowed(),
    cookies: navigator.cookieEnabled,
    install: false,
    translate: "Translator" in self,
    notify: isSecureContext && globalThis.Notification?.permission,
    video: isSecureContext && !!navigator.mediaDevices?.getUserMedia && "RTCPeerConnection" in window,
  };
  const me = { token: way?.token ?? null, resume: !!way?.token, fresh: !!way?.token, online: null, grace: config.grace ?? 15 };
  const state = first({
    notice: config.incident ? "incident" : hasNewStatement({ prefs, config }) ? "statement" : null,
    prefs,
    reads,
    config,
    can,
    me,
    online: navigator.onLine,
    visible: !document.hidden,
    now: Date.now(),
  });
  start(reduce, state, makeEffects(wire, trusted));
  root.replaceChildren(); // remove the text of the shell
  subscribe(drawer(root));
  watchSeconds();
  watchSearch();
  watchSilence(wire);
  show(state);
  watchBrowser();
  watchKeys();
  if (keptCollege())
    void import("./college.js").then(({ recallCollege }) => send("college.kept", { college: recallCollege() })).catch(() => {});
  wire.open();
  addEventListener("load", watchServiceWorker, { once: true });
  if (document.readyState === "complete") watchServiceWorker();
}

main().catch((error) => {
  dispatchEvent(new Event("lost")); // handled by retry.js: words, for one, are as necessary as modules
  throw error;
});
