// One file in the list of its requirement while this page sends it.
import { speedWords, sizeWords } from "./upload_words.js";

export class Row {
  constructor(section, { name, size }) {
    const template = document.querySelector("[data-row-template]");
    this.element = template.content.firstElementChild.cloneNode(true);
    this.sectionId = section.id;
    this.part("name").textContent = name;
    this.part("size").textContent = sizeWords(size);
    this.part("bar").setAttribute("aria-label", name);
    for (const place of this.element.querySelectorAll("[data-upload-for]")) place.textContent = ` ${name}`;
    section.querySelector("[data-upload-rows]").append(this.element);
  }

  // The section is replaced by the server's own now and then, so it is looked up.
  get section() {
    return document.getElementById(this.sectionId);
  }

  part(name) {
    return this.element.querySelector(`[data-upload-${name}]`);
  }

  state(word, kind) {
    const state = this.part("state").firstElementChild;
    if (state.textContent === word) return;
    state.className = `state state-${kind}`;
    state.textContent = word;
  }

  note(words) {
    if (this.part("note").textContent !== words) this.part("note").textContent = words;
  }

  // An upload that goes on where it stopped takes the place of the row that said it was not finished.
  take(id) {
    const old = document.querySelector(`[data-upload-id="${id}"]`);
    if (old && !old.hasAttribute("data-upload-live")) old.remove();
    this.element.dataset.uploadId = id;
  }

  progress(meter) {
    const { percent, arrived, size, speed, secondsLeft } = meter;
    this.part("bar").value = percent;
    this.part("percent").textContent = percent < 100 ? `${percent} % sent, ${sizeWords(arrived)} arrived` : "100 % arrived";
    this.part("facts").textContent = arrived < size ? speedWords(speed, secondsLeft) : "";
  }

  quiet() {
    this.part("facts").textContent = "";
    this.note("");
    this.part("sign-in").hidden = true;
  }

  place(number, of) {
    this.part("place").textContent = of > 1 ? `File ${number} of ${of}` : "";
  }

  pausable(isPausable, isPaused = false) {
    this.part("pause").hidden = !isPausable;
    this.part("pause-word").textContent = isPaused ? "Resume" : "Pause";
  }

  // The end of a file that was not taken: why, and what to do, read out at once.
  refuse(word, words) {
    this.state(word, "bad");
    this.quiet();
    this.pausable(false);
    for (const name of ["bar", "percent", "place"]) this.part(name).hidden = true;
    delete this.element.dataset.uploadId; // the row of what has arrived of it comes from the server
    const note = document.createElement("span");
    note.className = "error";
    note.setAttribute("role", "alert");
    this.part("note").replaceChildren(note);
    note.textContent = words;
  }

  // When nothing can be sent any more, the row of what has arrived says why; a second one for the same file confuses.
  giveWay(id) {
    const standing = document.querySelector(`[data-upload-id="${id}"]`);
    if (!standing) return;
    standing.append(this.part("note"));
    this.remove();
  }

  remove() {
    const isFocused = this.element.contains(document.activeElement);
    this.element.remove();
    if (isFocused) this.section.querySelector("input[type=file]")?.focus();
  }
}
