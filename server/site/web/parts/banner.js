// Show the state of the connection in one line under the bar. Seconds are not announced by screen readers.
import { dayName } from "../day.js";
import { html } from "../html.js";
import { announced } from "../reduce/link.js";
import { send } from "../store.js";
import { documentAt, t } from "../words.js";

const left = (until, now) => Math.max(0, Math.ceil((until - now) / 1000));

/** Return what operators say to all users; in a chat only their announcement, since a chat goes on during maintenance. */
function said(state) {
  const { maintenance, read_only: readOnly } = state.service;
  const text = announced(state);
  if (text) return { text: t("service.announced", { text: `\u2068${text}\u2069` }), act: ["service.seen", t("statement.seen")] };
  if (state.phase === "chat") return null;
  if (maintenance?.until * 1000 > Date.now()) return { text: t("service.maintenance.until", { time: dayName(maintenance.until * 1000) }), warn: true };
  if (maintenance) return { text: t("service.maintenance"), warn: true };
  return readOnly ? { text: t("service.reads") } : null;
}

/** Return the current banner, {text, seconds, link, act, warn}, or null. A pure function of the state. */
export function bannerOf(state) {
  const { link, now, phase, notice, me } = state;
  if (!link.settled && !state.online) return { text: t("link.offline"), warn: true };
  if (link.is === "stopped" && notice === "stopped") return { text: t("link.stopped"), act: ["connect", t("link.connect")] };
  if (link.why === "full" && !link.settled) return { text: t("link.full") };
  if (link.is === "restarting" || (link.why === "restart" && !link.settled)) return { text: t("link.restart") };
  if (phase === "chat" && state.chat.waits) return { text: t("chat.asked") };
  if (phase === "chat" && state.chat.opener) return { text: t("chat.opener") };
  if (notice === "flood") return { text: t("link.flood"), warn: true };
  if (notice === "slowly") return { text: t("wait.slowly") };
  if (notice === "cannot") return { text: t("home.video.cannot") };
  if (notice === "failed") return { text: t("link.failed"), warn: true };
  if (notice === "forgot") return { text: t("settings.forgot") };
  if (notice === "reported") return { text: t("ended.reported") };
  if (notice === "undelivered") return { text: t("report.undelivered"), warn: true };
  if (notice === "incident" && phase === "home")
    return { text: t("incident.was"), link: [documentAt("/privacy/incidents"), t("statement.read")], act: ["incident.seen", t("statement.seen")], warn: true };
  if (notice === "statement" && phase === "home")
    return { text: t(state.config.statement ? "statement.soon" : "statement.changed"), link: [documentAt("/privacy"), t("statement.read")], act: ["statement.seen", t("statement.seen")] };
  if (link.settled || !link.since || now - link.since < 1000) return said(state);
  const seconds = phase === "chat" ? left(link.since + me.grace * 1000, now) : 0;
  if (seconds) return { text: t("link.reconnecting"), seconds, ...(link.attempt >= 5 ? { act: ["connect", t("link.now")] } : {}) };
  if (link.attempt >= 5) {
    const n = left(link.retryAt, now);
    return { text: n ? t("link.unreachable", { n }) : t("link.trying"), quiet: true, act: ["connect", t("link.now")], warn: true };
  }
  if (phase === "chat") return { text: t("link.reconnecting.late") };
  return phase === "waiting" ? { text: t("link.reconnecting.waiting") } : null;
}

export function Banner({ state }) {
  const banner = bannerOf(state);
  if (!banner) return null;
  const { text, seconds, link, act, warn, quiet } = banner;
  return html`
    <div class=${`banner ${warn ? "warn" : ""}`}>
      <span aria-hidden=${quiet ? "true" : null}>${text}</span>
      ${
        seconds
          ? html`
              <span aria-hidden="true">${t("link.seconds", { n: seconds })}</span>
            `
          : null
      }
      ${
        link &&
        html`
          <a href=${link[0]} target="_blank" rel="noopener">${link[1]}</a>
        `
      }
      ${
        act &&
        html`
          <button type="button" onClick=${() => send(act[0])}>${act[1]}</button>
        `
      }
    </div>
  `;
}
