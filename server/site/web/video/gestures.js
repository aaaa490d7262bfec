// Recognise gestures on a picture: drag to a corner, double tap, pinch. They report what was meant and move nothing else.

const SLACK = 8; // px that a tap may slip
const AGAIN = 300; // ms between two taps that are one
const PINCH = 1.25; // ratio by which two fingers must have moved apart, or together

const away = (from, { clientX, clientY }) => [clientX - from.clientX, clientY - from.clientY];
const far = ([one, other]) => Math.hypot(one.clientX - other.clientX, one.clientY - other.clientY);

/** Return the corner of `room` that is nearest to the middle of `node`: `tl`, `tr`, `bl` or `br`. */
function cornerOf(node, room) {
  const [own, all] = [node.getBoundingClientRect(), room.getBoundingClientRect()];
  const [low, right] = [own.top + own.height / 2 > all.top + all.height / 2, own.left + own.width / 2 > all.left + all.width / 2];
  return (low ? "b" : "t") + (right ? "r" : "l");
}

/** Return handlers that let `node` be dragged within its parent; `put(corner)` at the end, `tap()` if it was not moved. */
export function dragging(put, tap) {
  let begun = null;
  let moved = false;
  const over = (node) => {
    begun = null;
    node.style.translate = "";
  };
  return {
    onPointerDown(event) {
      [begun, moved] = [event, false];
      event.currentTarget.setPointerCapture(event.pointerId);
    },
    onPointerMove(event) {
      if (!begun) return;
      const [x, y] = away(begun, event);
      moved ||= Math.hypot(x, y) > SLACK;
      if (moved) event.currentTarget.style.translate = `${x}px ${y}px`;
    },
    onPointerUp({ currentTarget }) {
      if (begun && moved) put(cornerOf(currentTarget, currentTarget.parentElement));
      over(currentTarget);
    },
    onPointerCancel: ({ currentTarget }) => over(currentTarget),
    onClick: () => (moved ? (moved = false) : tap()),
  };
}

/**
 * Return handlers for a picture that fills its place or is shown whole: `see(true)` whole, `see(false)` filling; `twice(mouse)` after a double
 * tap, or a double press of a mouse.
 */
export function pinching(see, twice) {
  const fingers = new Map();
  let apart = 0;
  let last = null;
  const lift = ({ pointerId }) => {
    fingers.delete(pointerId);
    apart = 0;
  };
  return {
    onPointerDown(event) {
      fingers.set(event.pointerId, event);
      apart = fingers.size === 2 ? far([...fingers.values()]) : 0;
    },
    onPointerMove(event) {
      if (!fingers.has(event.pointerId)) return;
      fingers.set(event.pointerId, event);
      if (!apart) return;
      const now = far([...fingers.values()]) / apart;
      if (now > PINCH || now < 1 / PINCH) [apart, last] = [0, void see(now < 1)];
    },
    onPointerUp(event) {
      lift(event);
      const again = last && event.timeStamp - last.timeStamp < AGAIN && Math.hypot(...away(last, event)) < 3 * SLACK;
      last = again || fingers.size ? null : event;
      if (again) twice(event.pointerType === "mouse");
    },
    onPointerCancel: lift,
    onPointerLeave: lift,
  };
}
