// Stands before all others and needs none: where a file of the page cannot be had (a deploy came between, a proxy refused one
// of fifty) the page is loaded once more, and then the shell's own button says what is left to do.
{
  const again = performance.getEntriesByType("navigation")[0]?.type === "reload";
  const lost = () => {
    document.documentElement.dataset.lost = "";
    if (!again) setTimeout(() => location.reload(), 1000);
  };
  addEventListener("error", ({ target }) => target.localName === "script" && lost(), true);
  addEventListener("lost", lost);
}
