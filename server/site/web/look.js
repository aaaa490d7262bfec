// Set theme and text size before the first paint, on the page and on every document: they are attributes of the root, so that no script
// writes styles and no other theme flashes up.
{
  const look = ({ theme, size }) => {
    const root = document.documentElement;
    if (theme === "light" || theme === "dark") root.dataset.theme = theme;
    else delete root.dataset.theme;
    root.dataset.size = String(size);
  };
  addEventListener("look", ({ detail }) => look(detail));
  try {
    look(JSON.parse(localStorage.getItem("serendip")) ?? {}); // written by keep.js
  } catch {
    // storage is refused, or holds another value: use the theme of the system
  }
}
