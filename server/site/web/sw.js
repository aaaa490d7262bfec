// The service worker: keeps the shell, so that the page opens without a network and says so. It never keeps an answer of
// /api, a log or a document.
// "/s/-/" is replaced by the address of this version, so a new version is a new worker and a new cache.
const HERE = "/s/-/";
const CACHE = `serendip ${HERE}`;
const FILES = [/*files*/]; // the server puts in all that a version consists of

/** What is in one language: that of the shell, and whichever is chosen later as it is fetched. */
const spoken = (language) => [`words/${language}.json`, `words/${language}-rest.json`, `topics/${language}.json`].map((name) => HERE + name);

async function fill() {
  const cache = await caches.open(CACHE);
  const shell = await fetch("/", { cache: "no-cache" });
  const language = /<html lang="(\w+)"/.exec(await shell.clone().text())?.[1] ?? "en";
  await cache.put("/", shell);
  await cache.addAll([...FILES, ...spoken(language), "/offline"]);
}

async function clear() {
  for (const name of await caches.keys()) if (name.startsWith("serendip ") && name !== CACHE) await caches.delete(name);
  await self.clients.claim();
}

/** A file of this version: from the cache, and into it when it is first wanted. */
async function cached(request) {
  const cache = await caches.open(CACHE);
  const known = await cache.match(request);
  if (known) return known;
  const answer = await fetch(request);
  if (answer.ok) await cache.put(request, answer.clone());
  return answer;
}

/** The page itself comes from the network while there is one. */
async function page(request, path) {
  try {
    return await fetch(request);
  } catch {
    return (await caches.match(path === "/" ? "/" : "/offline")) ?? Response.error();
  }
}

self.addEventListener("install", (event) => event.waitUntil(fill().then(() => self.skipWaiting())));
self.addEventListener("activate", (event) => event.waitUntil(clear()));
/** Shows a notification for a window, whose id, which the browser made up, goes along: what else it says is the window's. */
self.addEventListener("message", (event) => {
  const { title, options } = event.data ?? {};
  if (title) event.waitUntil(self.registration.showNotification(title, { ...options, data: event.source.id }));
});
/** A notification is a way back: to the window that it is about, else to one with the page (not with a document), else to a new one. */
async function back({ data }) {
  const asked = data && (await self.clients.get(data));
  const windows = asked ? [asked] : await self.clients.matchAll({ type: "window", includeUncontrolled: true });
  const window = windows.find(({ url }) => new URL(url).pathname === "/");
  await (window ? window.focus() : self.clients.openWindow("/"));
}

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(back(event.notification));
});
self.addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== "GET" || origin !== location.origin) return;
  if (pathname.startsWith(HERE)) event.respondWith(cached(request));
  else if (request.mode === "navigate") event.respondWith(page(request, pathname));
});
