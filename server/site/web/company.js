// Run a captcha provider's challenge in its frame (/challenge, at an origin of its own): load the script, and post the answer to the page.
// The three providers' scripts have the same interface; each is here under its own name.
const { key, script, action, page, invisible } = document.body.dataset;
const tell = (said) => parent.postMessage(said, page);
const failed = () => tell({ failed: true });
const done = (response) => tell({ response });

/** Start the widget when the script is loaded. An invisible one returns its answer at once. */
function run() {
  const company = window.turnstile ?? window.hcaptcha ?? window.grecaptcha;
  if (invisible !== undefined) return company.execute(key, { action }).then(done, failed);
  const theme = getComputedStyle(document.documentElement).colorScheme.startsWith("dark") ? "dark" : "light";
  company.render(document.getElementById("box"), { sitekey: key, action, theme, callback: done, "error-callback": failed, "expired-callback": failed });
}

window.loaded = () => {
  try {
    run();
  } catch {
    failed();
  }
};
const address = new URL(script);
address.searchParams.set("onload", "loaded");
const tag = document.createElement("script");
tag.src = address.href;
tag.onerror = failed;
document.head.append(tag);
