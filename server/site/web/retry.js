// Load the page once more if one of its files cannot be loaded (a deploy came between, a proxy refused one of fifty); after that the button
// of the shell says what to do. It comes before all other modules and needs none.
{
  const again = performance.getEntriesByType("navigation")[0]?.type === "reload";
  const lost = () => {
    document.documentElement.dataset.lost = "";
    if (!again) setTimeout(() => location.reload(), 1000);
  };
  addEventListener("error", ({ target }) => target.localName === "script" && lost(), true);
  addEventListener("lost", lost);
}
