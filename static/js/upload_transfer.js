// One file on its way: the protocol alone, nothing of the page. create -> sign -> PUT parts -> complete.
import { digest, fingerprint, tree } from "./upload_hash.js";
import { Meter } from "./upload_meter.js";
import { sendPart } from "./upload_part.js";
import { Interrupted, LAST_ANSWER, Refusal, Silence, Trouble, call, csrfToken } from "./upload_portal.js";

const LANES = 3;
const WEAK = 3; // failures in a row after which one lane is enough
const STEADY = 4; // parts that arrive by one lane before the others are opened again
const BATCH = 8; // permissions asked for at once
const BACKOFF_FIRST = 500;
const BACKOFF_LONGEST = 15000;
const ASKED = 6; // times, over half a minute, whether a refused file is here after all
const BLOCKED = 2; // times that a store which is not the portal does not answer before the portal is asked to relay
const UNREADABLE = ["NotReadableError", "NotFoundError"]; // moved, changed or deleted since it was chosen

export class Transfer {
  constructor({ file, slot, createUrl, consent, onProgress, onTrouble, onBegun }) {
    Object.assign(this, { file, slot, createUrl, consent, onProgress, onTrouble, onBegun });
    this.meter = new Meter(file.size);
    this.isPaused = false;
    this.isAbandoned = false;
    this.hasFailed = false;
    this.requests = new Set();
    this.waiting = new Set();
    this.queue = [];
    this.permitted = [];
    this.digests = [];
    this.tries = new Map();
    this.failures = 0; // in a row
    this.isWeak = false;
    this.steady = 0;
    this.unanswered = 0;
    this.isRelayed = false;
  }

  // Nothing is begun any more: removed by its owner, or refused for good while other lanes were under way.
  get isOver() {
    return this.isAbandoned || this.hasFailed;
  }

  get url() {
    return `${this.createUrl}${this.id}/`;
  }

  // Until the portal has the file: its id. Throws what is final.
  async run() {
    const upload = await this.insist(async () => this.create(await fingerprint(this.file)));
    this.id = upload.id;
    this.partSize = upload.part_size;
    this.onBegun(upload.id);
    if (this.isAbandoned) await this.forget();
    await this.bring(upload).catch((error) => this.throwUnlessHere(error));
    return this.id;
  }

  async bring(upload) {
    this.here = new Map(upload.received.map((part) => [part.n, part]));
    let numbers = Array.from({ length: upload.parts }, (_, index) => index + 1);
    while (numbers.length) {
      await this.sendAll(numbers);
      numbers = await this.insist(() => this.complete());
      this.here.clear();
      for (const number of numbers) this.meter.lose(number);
    }
  }

  // Another tab, or another computer, may have sent the rest of it meanwhile.
  async throwUnlessHere(error) {
    const isClosed = error instanceof Refusal && error.answer.code === "not-open";
    if (!isClosed || !(await this.isHere())) throw error;
  }

  // Asked apart from the lanes, which have ended with the refusal.
  async isHere() {
    for (let tries = 0; tries < ASKED; tries += 1) {
      const answer = await call("GET", this.url).catch(() => null);
      if (answer) return answer.is_here;
      await this.idle(BACKOFF_FIRST * 2 ** tries);
    }
    return false;
  }

  // A part whose way failed goes back to the end of the queue and needs a new permission.
  async sendAll(numbers) {
    const lanes = new Set();
    let final = null;
    this.queue = [...numbers];
    while (!final && (this.queue.length || this.permitted.length || lanes.size)) {
      await this.unpaused();
      while (lanes.size < this.width && (this.queue.length || this.permitted.length)) {
        const lane = this.sendNext()
          .catch((error) => (final ??= error))
          .finally(() => lanes.delete(lane));
        lanes.add(lane);
      }
      await Promise.race(lanes);
    }
    if (!final) return;
    this.hasFailed = true;
    this.breakOff();
    throw final;
  }

  get width() {
    return this.isWeak ? 1 : LANES;
  }

  async sendNext() {
    if (!this.permitted.length) {
      this.asking ??= this.insist(() => this.ask()).finally(() => (this.asking = null));
      await this.asking;
    }
    await this.unpaused(); // somebody may have pressed Pause while the permissions came
    const part = this.permitted.shift();
    if (!part) return;
    this.meter.start();
    try {
      await sendPart({ ...this.way(part), requests: this.requests, onProgress: (bytes) => this.move(part, bytes) });
      this.succeed(part);
    } catch (error) {
      this.queue.push(part.number);
      this.meter.lose(part.number);
      await this.suffer(part, error);
    }
  }

  // Hash the next parts, leave out what has arrived with these very bytes, ask for permissions.
  async ask() {
    const wanted = [];
    while (wanted.length < BATCH && wanted.length < this.queue.length) {
      const part = await this.part(this.queue[wanted.length]);
      const known = this.here.get(part.number);
      if (part.sha256 && known?.size === part.blob.size && known.sha256 === part.sha256) this.skip(part, wanted.length);
      else wanted.push(part);
    }
    if (!wanted.length) return;
    const body = { parts: wanted.map(({ number, sha256 }) => ({ n: number, sha256 })) };
    const answer = await this.call("POST", `${this.url}sign`, { body });
    const signed = new Map(answer.parts.map((permission) => [permission.n, permission]));
    this.queue.splice(0, wanted.length);
    this.permitted.push(...wanted.map((part) => ({ ...signed.get(part.number), ...part })));
  }

  async part(number) {
    const blob = this.file.slice((number - 1) * this.partSize, number * this.partSize);
    this.digests[number] = await digest(blob);
    return { number, blob, sha256: this.digests[number] };
  }

  way({ number, blob, sha256, url, headers }) {
    if (!this.isRelayed) return { method: "PUT", url, headers, blob };
    const own = { "X-CSRFToken": csrfToken(), "X-Part-SHA256": sha256, "Content-Type": "application/octet-stream" };
    return { method: "POST", url: `${this.url}relay/${number}`, headers: own, blob };
  }

  skip(part, position) {
    this.queue.splice(position, 1);
    this.meter.skip(part.number, part.blob.size);
  }

  move(part, bytes) {
    this.meter.move(part.number, bytes);
    this.onProgress(this.meter);
  }

  succeed(part) {
    this.tries.delete(part.number);
    this.failures = 0;
    this.steady += 1;
    if (this.steady >= STEADY) this.isWeak = false;
    this.meter.confirm(part.number, part.blob.size);
    this.onProgress(this.meter);
  }

  async suffer(part, error) {
    if (error instanceof Interrupted) return;
    if (error instanceof Silence && this.isElsewhere(part)) await this.considerRelay();
    const tries = (this.tries.get(part.number) ?? 0) + 1;
    this.tries.set(part.number, tries);
    await this.endure(error, tries);
  }

  isElsewhere({ url }) {
    return new URL(url, location.href).origin !== location.origin;
  }

  // A school's filter may block the store and not the portal. Does the portal itself answer?
  async considerRelay() {
    this.unanswered += 1;
    if (this.unanswered < BLOCKED || this.isRelayed) return;
    this.isRelayed = await this.call("GET", this.url).then(() => true, () => false);
  }

  // The numbers of parts that are missing; none when the file is received.
  async complete() {
    const body = { tree: await tree(this.digests.slice(1)) };
    try {
      await this.call("POST", `${this.url}complete`, { body, patience: LAST_ANSWER });
      return [];
    } catch (error) {
      if (error instanceof Refusal && error.answer.missing) return error.answer.missing;
      throw error;
    }
  }

  create(print) {
    const { name, size, type } = this.file;
    const body = { slot: this.slot, filename: name, size, type, fingerprint: print, consent: this.consent };
    return call("POST", this.createUrl, { body }); // not broken off by Remove, which needs the id to forget it
  }

  call(method, url, options) {
    return call(method, url, { requests: this.requests, ...options });
  }

  // A step is tried until it succeeds or the portal says a definite no.
  async insist(step) {
    for (let tries = 1; ; tries += 1) {
      await this.unpaused();
      try {
        return await step();
      } catch (error) {
        if (!(error instanceof Interrupted)) await this.endure(error, tries);
      }
    }
  }

  async endure(error, tries) {
    if (UNREADABLE.includes(error.name)) throw new Error("Your device could not read the file. Choose it again.");
    if (this.isOver || !(error instanceof Trouble)) throw error;
    this.failures += 1;
    if (this.failures >= WEAK) Object.assign(this, { isWeak: true, steady: 0 });
    if (!this.isPaused && !this.requests.size) this.onTrouble(error); // not while another lane still moves
    const wait = Math.min(BACKOFF_FIRST * 2 ** (tries - 1), BACKOFF_LONGEST);
    await this.idle(wait * (0.75 + Math.random() / 2));
  }

  idle(milliseconds) {
    return new Promise((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        this.waiting.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, milliseconds);
      this.waiting.add(wake);
    });
  }

  // The network is back, or somebody looks at the page: try at once.
  wake() {
    for (const wake of [...this.waiting]) wake();
  }

  async unpaused() {
    while (this.isPaused && !this.isOver) await this.pausing;
    if (this.isOver) throw new Error("This upload has ended.");
  }

  breakOff() {
    for (const request of [...this.requests]) request.abort();
    this.meter.rest();
    this.wake();
  }

  // Permissions run out while somebody has lunch, so those not used are asked for again.
  pause() {
    this.isPaused = true;
    this.pausing = new Promise((resolve) => (this.resume = resolve));
    this.queue.push(...this.permitted.splice(0).map((part) => part.number));
    this.breakOff();
  }

  goOn() {
    this.isPaused = false;
    this.resume();
  }

  async abandon() {
    this.isAbandoned = true;
    this.breakOff();
    this.resume?.();
    if (this.id) await this.forget();
  }

  forget() {
    return call("DELETE", this.url).catch(() => null); // what stays is listed on the page and expires by itself
  }
}
