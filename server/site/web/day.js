// Days and moments, as they are written where the person lives ("3 December 2026").
const DAY = { day: "numeric", month: "long", year: "numeric" };
const MINUTE = { day: "numeric", month: "long", hour: "2-digit", minute: "2-digit" };

/** A day in the page's language; its minute too where less than a day is left. `when`: milliseconds or an ISO date. */
export function dayName(when) {
  const { lang } = document.documentElement;
  const place = navigator.languages.find((tag) => tag.split("-")[0] === lang) ?? lang;
  const date = new Date(when);
  const left = date - Date.now();
  return date.toLocaleString(place, left > 0 && left < 86_400_000 ? MINUTE : DAY);
}
