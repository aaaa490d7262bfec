// Keep the shell in a cache, so that the page opens without a network and says so. **Invariant:** no response of /api, log or document is
// cached. "/s/-/" is replaced by the address of this version, so a new version is a new worker and a new cache.
const HERE = "/s/-/";
const CACHE = `serendip ${HERE}`;
const FILES = [/*files*/]; // the server inserts all files of a version

/** Return the files of one language: that of the shell is cached at first, another when it is chosen. */
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

/** Return a file of this version: from the cache, and cached when it is first needed. */
async function cached(request) {
  const cache = await caches.open(CACHE);
  const known = await cache.match(request);
  if (known) return known;
  const answer = await fetch(request);
  if (answer.ok) await cache.put(request, answer.clone());
  return answer;
}

/** Return the page itself from the network, while there is one. */
async function page(request, path) {
  try {
    return await fetch(request);
  } catch {
    return (await caches.match(path === "/" ? "/" : "/offline")) ?? Response.error();
  }
}

self.addEventListener("install", (event) => event.waitUntil(fill().then(() => self.skipWaiting())));
self.addEventListener("activate", (event) => event.waitUntil(clear()));
/** Show a notification for a window, with the id that the browser gave the window; the rest is from the window. */
self.addEventListener("message", (event) => {
  const { title, options } = event.data ?? {};
  if (title) event.waitUntil(self.registration.showNotification(title, { ...options, data: event.source.id }));
});
/** Focus the window of a notification, else one with the page (not with a document), else open a new one. */
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
