// Choosing files, by the button or by dropping them on their requirement: what can be known of them is said at once.
import { earlierSpeed } from "./upload_meter.js";
import { untilClosing } from "./upload_page.js";
import { preflight } from "./upload_preflight.js";
import { closingWords, sizeWords, spanWords } from "./upload_words.js";

const verdicts = new WeakMap(); // of each file; promises

export const input = (form) => form.querySelector("input[type=file]");

export function verdictOn(form, file) {
  if (!verdicts.has(file)) verdicts.set(file, preflight(file, limitsOf(form)));
  return verdicts.get(file);
}

function limitsOf(form) {
  const { kind, max, minutes, longest } = form.dataset;
  const endings = input(form).accept.split(",");
  return { endings, max: Number(max), minutes: Number(minutes), longest: Number(longest), isVideo: kind === "video" };
}

// What is wrong with the choice as a whole.
export function wrongChoice(form) {
  const [{ length }, room] = [input(form).files, Number(form.dataset.room)];
  if (!length) return "Choose a file first, then press Upload.";
  return length > room ? `There is room for ${room} more here, and you chose ${length}. Choose again.` : "";
}

export function tell(form, ...lines) {
  form.querySelector("[data-upload-found]").replaceChildren(...lines);
}

export function sentence(words, isRefused) {
  const line = document.createElement("span");
  line.className = isRefused ? "error" : "hint";
  line.textContent = words;
  return line;
}

async function tellChosen(form) {
  const files = [...input(form).files];
  tell(form);
  if (!files.length) return;
  const wrong = wrongChoice(form);
  if (wrong) return tell(form, sentence(wrong, true));
  const found = await Promise.all(files.map((file) => verdictOn(form, file)));
  if (files[0] === input(form).files[0]) tell(form, ...files.map((file, index) => said(file, found[index])));
}

function said(file, { refusal, remarks }) {
  const words = refusal ? [refusal] : [...remarks, timeWords(file)];
  return sentence([`${file.name}, ${sizeWords(file.size)}.`, ...words].join(" ").trim(), Boolean(refusal));
}

// By the speed of files sent before in this tab; nothing where there were none.
function timeWords({ size }) {
  const takes = size / earlierSpeed();
  if (!Number.isFinite(takes)) return "";
  return closingWords({ takes, ...untilClosing() }) || `Sending it will take ${spanWords(takes)}.`;
}

// Several at once only with this script: the plain form takes one.
export function dress(root) {
  for (const form of root.querySelectorAll("[data-upload-form]")) {
    input(form).multiple = form.dataset.room > 1;
    form.querySelector("[data-upload-drop]").hidden = false;
  }
}

document.addEventListener("change", (event) => {
  const form = event.target.closest("[data-upload-form]");
  if (form && event.target === input(form)) tellChosen(form);
});

// ---- Dropping

const carriesFiles = (event) => event.dataTransfer?.types.includes("Files");
const sectionUnder = (event) => {
  const section = event.target.closest?.("[data-slot-section]");
  return section?.querySelector("[data-upload-form]") ? section : null;
};

function mark(section) {
  for (const old of document.querySelectorAll("[data-dropping]")) if (old !== section) delete old.dataset.dropping;
  if (section) section.dataset.dropping = "";
}

// Beside a requirement nothing happens; without this the browser would leave the page for the file.
document.addEventListener("dragover", (event) => {
  if (!carriesFiles(event)) return;
  event.preventDefault();
  event.dataTransfer.dropEffect = sectionUnder(event) ? "copy" : "none";
  mark(sectionUnder(event));
});

document.addEventListener("dragleave", (event) => event.relatedTarget || mark(null));

document.addEventListener("drop", (event) => {
  if (!carriesFiles(event)) return;
  event.preventDefault();
  mark(null);
  const form = sectionUnder(event)?.querySelector("[data-upload-form]");
  if (!form) return;
  form.closest("details")?.setAttribute("open", "");
  input(form).files = event.dataTransfer.files;
  input(form).focus();
  tellChosen(form);
});
