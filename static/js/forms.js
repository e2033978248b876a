// Three courtesies of every form; each works on what the server sent and is not needed for it to be understood.

// 1. The error summary gets the focus, so that it is what is read and seen first.
document.querySelector("[data-error-summary]")?.focus();

// 2. A form sent once is not sent twice by a second press. The server refuses a repeat anyway.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.matches("[data-once]") || event.defaultPrevented) return;
  if (form.dataset.sent) {
    event.preventDefault();
    return;
  }
  form.dataset.sent = "yes";
  form.setAttribute("aria-busy", "true");
});

// Coming back by the browser's button, the form may be sent again.
addEventListener("pageshow", ({ persisted }) => {
  if (!persisted) return;
  for (const form of document.querySelectorAll("[data-sent]")) {
    delete form.dataset.sent;
    form.removeAttribute("aria-busy");
  }
});

// 3. Where a form asks for it (data-unsaved), leaving with something typed but not sent needs a second thought.
const touched = new Set();
for (const form of document.querySelectorAll("form[data-unsaved]")) {
  form.addEventListener("input", () => touched.add(form));
  form.addEventListener("submit", () => touched.delete(form));
  form.addEventListener("saved", () => touched.delete(form));
}
addEventListener("beforeunload", (event) => {
  if (touched.size) event.preventDefault();
});
