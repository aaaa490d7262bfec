// Fingers and mice on a picture: dragged to a corner, tapped twice, pinched. They tell what was meant; nothing else is moved by them.

const SLACK = 8; // px that a tap may slip
const AGAIN = 300; // ms between two taps that are one
const PINCH = 1.25; // how far apart two fingers must have come, or together

const away = (from, { clientX, clientY }) => [clientX - from.clientX, clientY - from.clientY];
const far = ([one, other]) => Math.hypot(one.clientX - other.clientX, one.clientY - other.clientY);

/** The corner of `room` that the middle of `node` is nearest to: `tl`, `tr`, `bl` or `br`. */
function cornerOf(node, room) {
  const [own, all] = [node.getBoundingClientRect(), room.getBoundingClientRect()];
  const [low, right] = [own.top + own.height / 2 > all.top + all.height / 2, own.left + own.width / 2 > all.left + all.width / 2];
  return (low ? "b" : "t") + (right ? "r" : "l");
}

/** Handlers that let `node` be dragged within its parent; `put(corner)` at the end, `tap()` where it was not moved. */
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

/** Handlers for a picture that fills its place or is seen whole: `see(true)` whole, `see(false)` filling, `turn()` the other. */
export function pinching(see, turn) {
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
      const twice = last && event.timeStamp - last.timeStamp < AGAIN && Math.hypot(...away(last, event)) < 3 * SLACK;
      last = twice || fingers.size ? null : event;
      if (twice) turn();
    },
    onPointerCancel: lift,
    onPointerLeave: lift,
  };
}
