// In the frame of a company's challenge (/challenge, at an origin of its own): loads the company's script, and tells the page around it the answer.
// The three companies' scripts are called alike; of each there is one here, under its own name.
const { key, script, action, page, invisible } = document.body.dataset;
const tell = (said) => parent.postMessage(said, page);
const failed = () => tell({ failed: true });
const done = (response) => tell({ response });

/** The script is there. One that shows nothing gives its answer at once. */
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
