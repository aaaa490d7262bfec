// Stands before the first paint, of the page and of every document: the chosen theme and text size are attributes of the root, so
// that no style is written by script and nothing shows in another theme first.
{
  const look = ({ theme, size }) => {
    const root = document.documentElement;
    if (theme === "light" || theme === "dark") root.dataset.theme = theme;
    else delete root.dataset.theme;
    root.dataset.size = String(size);
  };
  addEventListener("look", ({ detail }) => look(detail));
  try {
    look(JSON.parse(localStorage.getItem("serendip")) ?? {}); // what keep.js wrote
  } catch {
    // storage is refused, or holds something else: the system's theme
  }
}
