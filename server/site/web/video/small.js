// Show the own picture in a call: dragged to a corner or moved there by the arrow keys, hidden and shown by a tap.
import { html } from "../html.js";
import { icon } from "../icons.js";
import { useMemo, useState } from "../vendor/hooks.mjs";
import { t } from "../words.js";
import { dragging } from "./gestures.js";
import { Own } from "./picture.js";

const SIDES = { ArrowUp: [0, "t"], ArrowDown: [0, "b"], ArrowLeft: [1, "l"], ArrowRight: [1, "r"] };

/** Return the corner that an arrow key leads to from this one. */
function towards(corner, key) {
  const [at, side] = SIDES[key];
  return at ? corner[0] + side : side + corner[1];
}

export function Small({ video }) {
  const [away, hide] = useState(false);
  const [corner, put] = useState(null); // null: the place in the style
  const fingers = useMemo(() => dragging(put, () => hide((was) => !was)), []);
  const shown = video.has.camera && video.on.camera && !away;
  const press = (event) => {
    if (!(event.key in SIDES)) return;
    event.preventDefault();
    put((was) => towards(was ?? "tr", event.key));
  };
  return html`
    <button
      type="button"
      class=${`small-own ${shown ? "" : "away"}`}
      data-corner=${corner}
      aria-label=${t(away ? "call.own.show" : "call.own.hide")}
      onKeyDown=${press}
      ...${fingers}
    >
      ${
        shown
          ? html`
              <${Own} serial=${video.local} />
            `
          : icon("video")
      }
    </button>
  `;
}
