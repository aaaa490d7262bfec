// Set the height above a phone's keyboard as --vvh. Browsers with interactive-widget=resizes-content need no help; older ones scroll the
// page instead of shrinking it, and are scrolled back.

const view = window.visualViewport;
let due = 0;

function fit() {
  due = 0;
  const zoomed = view.scale > 1.01;
  document.documentElement.style.setProperty("--vvh", zoomed ? "100dvh" : `${Math.round(view.height)}px`);
  if (!zoomed && view.offsetTop > 0 && document.querySelector(".room")) scrollTo(0, 0);
}

const soon = () => (due ||= requestAnimationFrame(fit));
view?.addEventListener("resize", soon);
view?.addEventListener("scroll", soon);
