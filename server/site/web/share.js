// Share the link of a saved chat by the system's own dialog, else copy it. The page is complete without this.
{
  const button = document.getElementById("share");
  const link = { title: document.title, url: `${location.origin}${location.pathname}` };
  const share = async () => {
    try {
      if (navigator.share) return await navigator.share(link);
      await navigator.clipboard.writeText(link.url);
      button.textContent = button.dataset.copied;
    } catch {
      // closed without a choice, or not allowed: the address bar has the link
    }
  };
  button.addEventListener("click", share);
  button.hidden = !(navigator.share || navigator.clipboard);
}
