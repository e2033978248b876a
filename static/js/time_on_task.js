// Tells the portal that somebody is at the sheet, so that it can say how long others will take. It sends no more than
// that: what lies between two signs of life is counted there (scoring/timing.py).

const form = document.querySelector("form[data-time]");
const EVERY = 30 * 1000;
const QUIET = 2 * 60 * 1000; // nothing typed, pressed, scrolled or watched for so long: nobody is there
const DOCUMENT = 15 * 60 * 1000; // a document opened in another tab is read there, and at most so long

let last = performance.now(), readsUntil = 0;

const alive = () => { last = performance.now(); };
for (const name of ["input", "keydown", "pointerdown", "scroll", "timeupdate"]) document.addEventListener(name, alive, { capture: true, passive: true });

document.addEventListener("click", ({ target }) => {
  if (target.closest("a[target=_blank]")) readsUntil = performance.now() + DOCUMENT;
});
document.addEventListener("visibilitychange", () => {
  if (document.hidden) return;
  readsUntil = 0;
  alive();
});

const isThere = () => document.hidden ? performance.now() < readsUntil : performance.now() - last < QUIET;

async function beat() {
  if (!isThere()) return;
  const body = new URLSearchParams({ csrfmiddlewaretoken: form.elements.csrfmiddlewaretoken.value });
  try { await fetch(form.dataset.time, { method: "POST", body, redirect: "manual" }); } catch { /* the next may arrive */ }
}

beat();
setInterval(beat, EVERY);
