// What the server says of a file and of its requirement takes the place of what stood on the page.
import { announce } from "./upload_announce.js";
import { dress } from "./upload_choose.js";

const POLL_FIRST = 1000;
const POLL_SLOWEST = 5000;

// Ask until the check is through, then show the section as the server renders it.
export async function settle(id, name, sectionId) {
  for (let wait = POLL_FIRST; ; wait = Math.min(wait * 1.5, POLL_SLOWEST)) {
    await new Promise((resume) => setTimeout(resume, wait));
    const response = await fetch(`/uploads/${id}/`, { headers: { Accept: "application/json" } }).catch(() => null);
    if (response?.status === 404 || response?.status === 401) return;
    if (!response?.ok) continue;
    const answer = await response.json();
    if (!answer.is_settled) continue;
    await refresh(sectionId);
    announce(`${name}: ${answer.word}. ${answer.reason}`);
    return;
  }
}

// Replace one section and the entry's summary by the server's own. Rows this page still sends, and a form in which a
// file is chosen, are moved over as they are.
export async function refresh(sectionId) {
  const response = await fetch(location.href, { headers: { Accept: "text/html" } }).catch(() => null);
  if (!response?.ok || response.redirected) return;
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  for (const id of [sectionId, "entry-summary"]) {
    const [old, fresh] = [document.getElementById(id), page.getElementById(id)];
    if (!old || !fresh) continue;
    const focus = old.contains(document.activeElement) ? document.activeElement : null;
    dress(fresh);
    keep(old, fresh);
    old.replaceWith(document.adoptNode(fresh));
    if (focus) (focus.isConnected ? focus : fresh.querySelector("input[type=file], a, button"))?.focus();
  }
}

function keep(old, fresh) {
  fresh.querySelector("details")?.toggleAttribute("open", Boolean(old.querySelector("details[open]")));
  const rows = fresh.querySelector("[data-upload-rows]");
  for (const row of old.querySelectorAll("[data-upload-live]")) {
    rows.querySelector(`[data-upload-id="${row.dataset.uploadId}"]`)?.remove();
    rows.append(row);
  }
  const [form, freshForm] = [old, fresh].map((section) => section.querySelector("[data-upload-form]"));
  if (freshForm && form?.querySelector("input[type=file]").files.length) freshForm.replaceWith(form);
}
