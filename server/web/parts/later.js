// A screen that is fetched when it is first wanted, so that the first visit does not pay for it. Until it is here nothing is shown in its place.
import { html } from "../html.js";
import { get, send, show } from "../store.js";

/** `load`: () => import("./screen.js"); `name`: what it exports. Where it cannot be had (no network), what asked for it is closed. */
export function later(load, name) {
  let found = null;
  let asked = false;
  const here = (module) => {
    found = module[name];
    show(get());
  };
  const failed = () => {
    asked = false;
    send("close");
  };
  return function Later(props) {
    if (found)
      return html`
        <${found} ...${props} />
      `;
    if (!asked) {
      asked = true;
      load().then(here, failed);
    }
    return null;
  };
}
