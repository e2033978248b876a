// Which file of this receipt is it? Read and hashed here, in parts as the upload was; nothing of it leaves the browser.
import { canHash, digest, tree } from "./upload_hash.js";

const zone = document.querySelector("[data-receipt-check]");
const bar = zone.querySelector("[data-receipt-bar]");
const answers = zone.querySelector("[data-receipt-answers]");
const known = JSON.parse(document.getElementById("receipt-files").textContent);
let latest = 0; // a new choice ends the reading of an older one

async function fingerprint(file, partSize, isWanted) {
  const digests = [];
  for (let start = 0; start < file.size && isWanted(); start += partSize) {
    digests.push(await digest(file.slice(start, start + partSize)));
    bar.value = Math.floor((Math.min(start + partSize, file.size) * 100) / file.size);
  }
  return tree(digests);
}

// A file of another size is another file: no need to read it.
async function find(file, isWanted) {
  const alike = known.filter((one) => one.size === file.size);
  for (const partSize of new Set(alike.map((one) => one.part_size))) {
    const found = await fingerprint(file, partSize, isWanted);
    const same = alike.find((one) => one.part_size === partSize && one.sha256_tree === found);
    if (same) return same;
  }
  return null;
}

function say(words, kind, label) {
  const line = document.createElement("p");
  const state = document.createElement("span");
  state.className = `state state-${kind}`;
  state.textContent = label;
  line.append(state, ` ${words}`);
  answers.append(line);
}

async function compare(file, isWanted) {
  const same = await find(file, isWanted);
  if (!isWanted()) return;
  if (same) say(`“${file.name}” is ${same.title} (${same.name}) of this receipt, byte for byte.`, "good", "The same");
  else say(`“${file.name}” is none of the files of this receipt.`, "bad", "Another file");
}

async function compareAll(files) {
  const turn = ++latest;
  const isWanted = () => turn === latest;
  answers.replaceChildren();
  if (!canHash()) return say("Open this page by its https address: without it your browser cannot compute this.", "warn", "Not possible here");
  bar.hidden = false;
  for (const file of files) {
    bar.value = 0;
    try {
      await compare(file, isWanted);
    } catch {
      say(`Your browser could not read “${file.name}”. Choose it again.`, "warn", "Not read");
    }
  }
  if (isWanted()) bar.hidden = true;
}

zone.hidden = false;
document.querySelector("[data-receipt-without]").hidden = true;
zone.querySelector("input").addEventListener("change", (event) => compareAll([...event.target.files]));
// Anywhere on the page: a file dropped beside the field would otherwise take the page's place.
for (const name of ["dragover", "dragleave", "drop"]) {
  document.addEventListener(name, (event) => {
    if (!event.dataTransfer.types.includes("Files")) return;
    event.preventDefault();
    zone.toggleAttribute("data-over", name === "dragover");
    if (name === "drop") compareAll([...event.dataTransfer.files]);
  });
}
