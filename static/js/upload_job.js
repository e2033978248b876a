// One chosen file, from the press of the button until the portal shows it as its own.
import { Teller, announce } from "./upload_announce.js";
import { SignedOut } from "./upload_portal.js";
import { createUrl, untilClosing } from "./upload_page.js";
import { turn } from "./upload_queue.js";
import { refresh, settle } from "./upload_refresh.js";
import { Row } from "./upload_row.js";
import { Transfer } from "./upload_transfer.js";
import { closingWords } from "./upload_words.js";

const SECOND = 1000;

export class Job {
  constructor(form, file) {
    this.file = file;
    this.stage = "waiting"; // then sending or paused, in turns; then over
    this.row = new Row(form.closest("[data-slot-section]"), file);
    this.teller = new Teller(file.name);
    this.transfer = new Transfer({
      file,
      slot: form.dataset.slot,
      createUrl,
      consent: new FormData(form).get("consent") === "true",
      onBegun: (id) => this.row.take(id),
      onProgress: (meter) => this.progress(meter),
      onTrouble: (trouble) => this.trouble(trouble),
    });
    this.row.part("pause").addEventListener("click", () => this.toggle());
    this.row.part("remove").addEventListener("click", () => this.remove());
  }

  get isWaiting() {
    return this.stage === "waiting";
  }

  get isSending() {
    return this.stage === "sending";
  }

  get isOver() {
    return this.stage === "over";
  }

  async start() {
    this.enter("sending");
    this.row.state("Preparing", "info");
    this.row.pausable(true);
    const beat = setInterval(() => this.isSending && this.show(), SECOND); // a stalled line has no speed
    try {
      const id = await this.transfer.run();
      this.arrive(id);
    } catch (error) {
      if (!this.transfer.isAbandoned) this.fail(error);
    } finally {
      clearInterval(beat);
      this.enter("over");
    }
  }

  enter(stage) {
    this.stage = stage;
    turn();
  }

  progress(meter) {
    if (this.transfer.isPaused) return;
    if (this.isInTrouble) this.row.quiet();
    this.isInTrouble = false;
    this.row.state("Uploading", "info");
    this.teller.progress(meter);
    this.show();
  }

  show() {
    const { meter } = this.transfer;
    this.row.progress(meter);
    const takes = meter.secondsExpected;
    if (this.isInTrouble || !Number.isFinite(takes)) return;
    const window = untilClosing();
    const words = closingWords({ takes, ...window });
    this.row.note(words);
    if (words && takes > window.finishIn) this.teller.warn(words);
  }

  trouble(trouble) {
    this.isInTrouble = true;
    this.row.state("Waiting", "warn");
    this.row.part("facts").textContent = "";
    this.row.note(trouble.message);
    this.row.part("sign-in").hidden = !(trouble instanceof SignedOut);
    this.teller.trouble(trouble.message);
  }

  toggle() {
    const isPaused = this.isSending;
    if (isPaused) this.transfer.pause();
    else this.transfer.goOn();
    this.row.state(isPaused ? "Paused" : "Uploading", isPaused ? "muted" : "info");
    this.row.pausable(true, isPaused);
    this.row.quiet();
    announce(`${this.file.name} ${isPaused ? "is paused" : "goes on"}.`);
    this.enter(isPaused ? "paused" : "sending");
  }

  async remove() {
    if (this.isOver) return this.row.remove(); // what the server keeps of it has a row of its own
    if (this.transfer.meter.arrived && !confirm(`Stop and remove ${this.file.name}? What has arrived is deleted.`)) return;
    this.row.remove();
    await this.transfer.abandon();
    announce(`${this.file.name} is removed.`);
    this.enter("over");
  }

  async arrive(id) {
    delete this.row.element.dataset.uploadLive;
    this.row.quiet();
    this.row.pausable(false);
    this.row.state("Received, being checked", "info");
    announce(`${this.file.name} has arrived and is being checked.`);
    await refresh(this.row.sectionId);
    await settle(id, this.file.name, this.row.sectionId);
  }

  async fail(error) {
    this.row.refuse("Not received", error.message);
    if (!this.transfer.id) return;
    await refresh(this.row.sectionId);
    if (error.answer?.code === "window-closed") this.row.giveWay(this.transfer.id);
  }
}
