// What the server says of a file and of its requirement takes the place of what stood on the page.
import { announce } from "./upload_announce.js";
import { dress } from "./upload_choose.js";

const POLL_FIRST = 1000;
const POLL_SLOWEST = 5000;
const POLL_PROCESSING = 20000; // a film is handed in by then, and nobody waits for its scorers' copy

// Ask until the check is through, and a film is made ready; show the section as the server renders it at every turn.
export async function settle(id, name, sectionId, told = "") {
  const row = () => document.querySelector(`[data-upload-id="${id}"]`);
  for (let wait = POLL_FIRST; row(); wait = Math.min(wait * 1.5, POLL_SLOWEST)) {
    const stood = row().dataset.uploadStands;
    await new Promise((resume) => setTimeout(resume, told === "processing" ? POLL_PROCESSING : wait));
    const answer = await ask(id);
    if (answer === "gone") return;
    const facts = row()?.querySelector("[data-upload-row-facts]");
    if (facts && answer?.state === "processing") facts.textContent = answer.facts;
    if (!answer?.is_settled) continue;
    if (answer.state !== stood) await refresh(sectionId);
    if (answer.state !== told) announce(`${name}: ${answer.word}. ${answer.reason}`);
    told = answer.state;
    if (answer.state !== "processing") return;
  }
}

async function ask(id) {
  const response = await fetch(`/uploads/${id}/`, { headers: { Accept: "application/json" } }).catch(() => null);
  if (response?.status === 404 || response?.status === 401) return "gone";
  return response?.ok ? response.json() : null;
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
  if (old.querySelector("details[open]")) fresh.querySelector("details")?.setAttribute("open", "");
  const rows = fresh.querySelector("[data-upload-rows]");
  for (const row of old.querySelectorAll("[data-upload-live]")) {
    rows.querySelector(`[data-upload-id="${row.dataset.uploadId}"]`)?.remove();
    rows.append(row);
  }
  const [form, freshForm] = [old, fresh].map((section) => section.querySelector("[data-upload-form]"));
  if (freshForm && form?.querySelector("input[type=file]").files.length) freshForm.replaceWith(form);
}
