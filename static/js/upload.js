// Sends files in parts: hash, ask for permission, PUT; three at a time; again and again until all have arrived.
// The page works without this file by its plain forms; what the server says after an upload replaces what stood here.
import { Transfer, SignedOut } from "./upload_transfer.js";

const POLL_FIRST = 1000;
const POLL_SLOWEST = 5000;
const running = new Set();
const announce = (words) => {
  const place = document.querySelector("[data-announce]");
  if (place) place.textContent = words;
};

// ---- Rows

function sizeWords(bytes) {
  const steps = [[1e9, "GB"], [1e6, "MB"], [1e3, "KB"]];
  const [unit, name] = steps.find(([step]) => bytes >= step) ?? [1, "bytes"];
  return `${(bytes / unit).toFixed(unit > 1 && bytes / unit < 10 ? 1 : 0)} ${name}`;
}

function timeWords(seconds) {
  if (!Number.isFinite(seconds)) return "";
  if (seconds < 60) return "less than a minute left";
  const minutes = Math.round(seconds / 60);
  return minutes < 90 ? `about ${minutes} minute${minutes === 1 ? "" : "s"} left` : `about ${Math.round(minutes / 60)} hours left`;
}

class Row {
  constructor(form, file) {
    const template = document.querySelector("[data-row-template]");
    this.element = template.content.firstElementChild.cloneNode(true);
    this.section = form.closest("[data-slot-section]");
    this.part("name").textContent = file.name;
    this.part("size").textContent = sizeWords(file.size);
    this.part("bar").setAttribute("aria-label", file.name);
    this.section.querySelector("[data-upload-rows]").append(this.element);
  }

  part(name) {
    return this.element.querySelector(`[data-upload-${name}]`);
  }

  state(word, kind) {
    const state = document.createElement("span");
    state.className = `state state-${kind}`;
    state.textContent = word;
    this.part("state").replaceChildren(state);
  }

  // An upload that goes on where it stopped takes the place of the row that said it was not finished.
  take(id) {
    document.querySelector(`[data-upload-id="${id}"]`)?.remove();
    this.element.dataset.uploadId = id;
  }

  // Only what the server has confirmed counts as arrived; the bar may run ahead of it by what is on its way.
  progress({ done, size, speed }) {
    const percent = Math.min(100, Math.floor((done * 100) / size));
    this.part("bar").value = percent;
    this.part("percent").textContent = `${percent} %`;
    this.part("facts").textContent = speed > 0 ? `${sizeWords(speed)} a second · ${timeWords((size - done) / speed)}` : "";
  }
}

// ---- One upload, from the press of the button until the server shows it

async function upload(form, file) {
  const row = new Row(form, file);
  const data = new FormData(form);
  const transfer = new Transfer({
    file,
    slot: form.dataset.slot,
    createUrl: form.dataset.create,
    csrf: data.get("csrfmiddlewaretoken"),
    consent: data.get("consent") === "true",
    onProgress: (progress) => row.progress(progress),
    onTrouble: (error) => {
      const words = error instanceof SignedOut ? error.message : "Connection lost. It goes on by itself when the network is back.";
      row.state("Waiting", "warn");
      row.part("facts").textContent = words;
      announce(`${file.name}: ${words}`);
    },
    onBegun: (id) => row.take(id),
    onSending: () => row.state("Uploading", "info"),
  });
  wire(row, transfer, file);
  running.add(transfer);
  announce(`Uploading ${file.name}.`);
  form.reset();
  try {
    const answer = await transfer.run();
    row.state("Received, being checked", "info");
    announce(`${file.name} has arrived and is being checked.`);
    await refresh(row.section);
    await settle(answer.id, file.name, row.section.id);
  } catch (error) {
    if (!transfer.isAbandoned) fail(form, row, error);
  } finally {
    running.delete(transfer);
  }
}

function wire(row, transfer, file) {
  const pause = row.part("pause");
  pause.addEventListener("click", () => {
    const isPaused = transfer.toggle();
    pause.textContent = isPaused ? "Resume" : "Pause";
    row.state(isPaused ? "Paused" : "Uploading", isPaused ? "muted" : "info");
    row.part("facts").textContent = "";
    announce(isPaused ? `${file.name} is paused.` : `${file.name} goes on.`);
  });
  row.part("remove").addEventListener("click", async () => {
    await transfer.abandon();
    row.element.remove();
    announce(`${file.name} is removed.`);
  });
}

function fail(form, row, error) {
  row.element.remove();
  const place = form.querySelector("[data-upload-error]");
  const words = document.createElement("span");
  words.className = "error";
  words.textContent = error.message;
  place?.replaceChildren(words);
  form.querySelector("input[type=file]").focus();
}

// ---- What the server says

// Ask until the check is through, then show the section as the server renders it.
async function settle(id, name, sectionId) {
  for (let wait = POLL_FIRST; ; wait = Math.min(wait * 1.5, POLL_SLOWEST)) {
    await new Promise((resume) => setTimeout(resume, wait));
    const response = await fetch(`/uploads/${id}/`, { headers: { Accept: "application/json" } }).catch(() => null);
    if (response?.status === 404 || response?.status === 401) return;
    if (!response?.ok) continue;
    const answer = await response.json();
    if (!answer.is_settled) continue;
    await refresh(document.getElementById(sectionId));
    announce(`${name}: ${answer.word}. ${answer.reason}`);
    return;
  }
}

// Replace this slot and the summary by the server's own; rows of other uploads that run in the slot stay.
async function refresh(section) {
  const response = await fetch(location.href, { headers: { Accept: "text/html" } }).catch(() => null);
  if (!response?.ok || response.redirected) return;
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  for (const old of [section, document.querySelector("[data-entry-summary]")]) {
    const fresh = old && page.getElementById(old.id);
    if (!fresh || (old === section && isBusy(old))) continue;
    const hadFocus = old.contains(document.activeElement);
    old.replaceWith(document.adoptNode(fresh));
    if (hadFocus) fresh.querySelector("input, a, button")?.focus();
  }
}

function isBusy(section) {
  return [...running].some((transfer) => transfer.isSending && transfer.slot.endsWith(`-${section.id.replace("slot-", "")}`));
}

// ---- Doors

document.addEventListener("submit", (event) => {
  const form = event.target.closest("[data-upload-form]");
  if (!form) return;
  event.preventDefault();
  const file = form.querySelector("input[type=file]").files[0];
  const place = form.querySelector("[data-upload-error]");
  place.replaceChildren();
  if (file) upload(form, file);
  else fail(form, { element: { remove() {} } }, new Error("Choose a file first, then press Upload."));
});

for (const waiting of document.querySelectorAll("[data-upload-wait]")) {
  const name = waiting.querySelector(".upload-name").textContent.trim();
  settle(waiting.dataset.uploadId, name, waiting.closest("[data-slot-section]").id);
}

addEventListener("beforeunload", (event) => {
  if ([...running].some((transfer) => transfer.isSending)) event.preventDefault();
});
