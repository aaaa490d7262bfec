// Format days and moments in the language of the page ("3 December 2026").
const DAY = { day: "numeric", month: "long", year: "numeric" };
const MINUTE = { day: "numeric", month: "long", hour: "2-digit", minute: "2-digit" };

/** Format a day; with the minute too if less than a day is left. `when`: milliseconds or an ISO date. */
export function dayName(when) {
  const { lang } = document.documentElement;
  const place = navigator.languages.find((tag) => tag.split("-")[0] === lang) ?? lang;
  const date = new Date(when);
  const left = date - Date.now();
  return date.toLocaleString(place, left > 0 && left < 86_400_000 ? MINUTE : DAY);
}
