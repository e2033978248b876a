// One file on its way: the protocol alone, nothing of the page. create -> sign -> PUT parts -> complete.
const LANES = 3;
const BACKOFF_FIRST = 500;
const BACKOFF_LONGEST = 15000;
const STALL = 60000; // no progress for so long while sending: the connection is dead, begin the part anew
const LAST_ANSWER = 300000; // once the body is out, slow proxies may hold the answer; that is no stall
const EDGE = 1024 * 1024;

const UNREADABLE = ["NotReadableError", "NotFoundError"]; // moved, changed or deleted since it was chosen

export class SignedOut extends Error {}
class Refusal extends Error {
  constructor(status, answer) {
    super(answer.message || "The portal did not accept this file. Reload the page and try again.");
    this.status = status;
    this.answer = answer;
  }
}
class Paused extends Error {}

// crypto.subtle exists on https and localhost only; without it the portal hashes what it receives.
const canHash = () => Boolean(globalThis.crypto?.subtle);

async function digest(blob) {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", await blob.arrayBuffer()));
}

function base64(bytes) {
  return btoa(String.fromCharCode(...bytes));
}

function fromBase64(text) {
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
}

// Size and the first, middle and last MiB: the same file under another name is found again, another file is not.
export async function fingerprint(file) {
  const starts = [0, Math.max(0, Math.floor(file.size / 2) - EDGE / 2), Math.max(0, file.size - EDGE)];
  const edges = starts.map((start) => file.slice(start, start + EDGE));
  const whole = new Blob([String(file.size), ...edges]);
  if (!canHash()) return weakHash(new Uint8Array(await whole.arrayBuffer()));
  return [...(await digest(whole))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

// Only to find an unfinished upload again, never to trust one.
function weakHash(bytes) {
  const lanes = new Uint32Array(8).map((_, lane) => 0x811c9dc5 + lane);
  bytes.forEach((byte, index) => {
    lanes[index % 8] = Math.imul(lanes[index % 8] ^ byte, 0x01000193);
  });
  return [...lanes].map((lane) => lane.toString(16).padStart(8, "0")).join("");
}

export class Transfer {
  constructor({ file, slot, createUrl, csrf, consent, onProgress, onTrouble, onBegun, onSending }) {
    Object.assign(this, { file, slot, createUrl, csrf, consent, onProgress, onTrouble, onBegun, onSending });
    this.isPaused = false;
    this.isAbandoned = false;
    this.isSending = true;
    this.requests = new Set();
    this.onItsWay = new Map();
    this.digests = [];
    this.arrived = 0;
    this.failures = 0;
    this.began = null;
  }

  async run() {
    try {
      const upload = await this.stubborn(async () => this.create(await fingerprint(this.file)));
      this.id = upload.id;
      this.onBegun(upload.id);
      if (this.isAbandoned) await this.abandon();
      this.partSize = upload.part_size;
      await this.sendAll(upload, upload.received);
      for (;;) {
        const missing = await this.stubborn(() => this.complete());
        if (!missing) return { id: this.id };
        await this.send(missing);
      }
    } finally {
      this.isSending = false;
    }
  }

  async sendAll(upload, received) {
    const here = new Map(received.map((part) => [part.n, part]));
    const numbers = Array.from({ length: upload.parts }, (_, index) => index + 1);
    await this.send(numbers, here);
  }

  // A queue of parts and some lanes that empty it. One lane after repeated failures: the network is weak.
  async send(numbers, here = new Map()) {
    const queue = [...numbers];
    const lane = async (index) => {
      while (queue.length && !(index > 0 && this.failures >= 3)) {
        const number = queue.shift();
        await this.stubborn(() => this.part(number, here.get(number)));
      }
    };
    await Promise.all(Array.from({ length: LANES }, (_, index) => lane(index)));
  }

  // Every step is tried until it succeeds or the server says a definite no.
  async stubborn(step) {
    for (let wait = BACKOFF_FIRST; ; wait = Math.min(wait * 2, BACKOFF_LONGEST)) {
      await this.unpaused();
      try {
        return await step();
      } catch (error) {
        if (this.isAbandoned || (error instanceof Refusal && !this.isPassing(error))) throw error;
        if (UNREADABLE.includes(error.name)) throw new Error("Your device could not read the file. Choose it again.");
        if (error instanceof Paused) continue;
        this.failures += 1;
        this.onTrouble(error);
        await this.pauseFor(wait * (0.75 + Math.random() / 2));
      }
    }
  }

  // Worth another try: a permission that ran out, a part damaged on its way, a server that is being restarted.
  isPassing(refusal) {
    return refusal.status >= 500 && refusal.status !== 507 || ["bad-token", "damaged-part"].includes(refusal.answer.code);
  }

  pauseFor(milliseconds) {
    return new Promise((resume) => {
      const timer = setTimeout(resume, milliseconds);
      addEventListener("online", () => (clearTimeout(timer), resume()), { once: true });
    });
  }

  async unpaused() {
    if (this.isPaused) await new Promise((resume) => (this.resume = resume));
    if (this.isAbandoned) throw new Paused();
  }

  toggle() {
    this.isPaused = !this.isPaused;
    if (this.isPaused) for (const request of this.requests) request.abort();
    else this.resume?.();
    this.began = null;
    return this.isPaused;
  }

  async abandon() {
    this.isAbandoned = true;
    this.isSending = false;
    for (const request of this.requests) request.abort();
    this.resume?.();
    if (this.id) await this.json("DELETE", `${this.createUrl}${this.id}/`).catch(() => null);
  }

  create(print) {
    const { name, size, type } = this.file;
    const body = { slot: this.slot, filename: name, size, type, fingerprint: print, consent: this.consent };
    return this.json("POST", this.createUrl, body);
  }

  // Hash, skip what has arrived with these very bytes, ask for permission, send.
  async part(number, known) {
    const blob = this.file.slice((number - 1) * this.partSize, number * this.partSize);
    const hash = canHash() ? await digest(blob) : null;
    const sha256 = hash ? base64(hash) : "";
    this.digests[number] = sha256;
    if (!known || known.size !== blob.size || known.sha256 !== sha256) {
      const signed = await this.json("POST", `${this.createUrl}${this.id}/sign`, { parts: [{ n: number, sha256 }] });
      await this.put(signed.parts[0], blob, number);
      this.failures = 0;
    }
    this.onItsWay.delete(number);
    this.arrived += blob.size;
    this.tell();
  }

  tell() {
    const done = this.arrived + [...this.onItsWay.values()].reduce((sum, bytes) => sum + bytes, 0);
    this.began ??= { at: performance.now(), done };
    const seconds = (performance.now() - this.began.at) / 1000;
    this.onProgress({ done, size: this.file.size, speed: seconds > 1 ? (done - this.began.done) / seconds : 0 });
  }

  put({ url, headers }, blob, number) {
    return new Promise((resolve, reject) => {
      const request = new XMLHttpRequest();
      let timer;
      const watch = (limit) => {
        clearTimeout(timer);
        timer = setTimeout(() => (request.abort(), reject(new Error("stalled"))), limit);
      };
      const end = (settle, value) => {
        clearTimeout(timer);
        this.requests.delete(request);
        this.onItsWay.delete(number);
        settle(value);
      };
      request.upload.onprogress = ({ loaded }) => {
        this.onItsWay.set(number, Math.min(loaded, blob.size));
        this.tell();
        watch(STALL);
      };
      request.upload.onload = () => watch(LAST_ANSWER);
      request.onload = () => {
        if (request.status < 300) return end(resolve);
        return end(reject, new Refusal(request.status, parse(request.responseText)));
      };
      request.onerror = () => end(reject, new Error("network"));
      request.onabort = () => end(reject, this.isPaused || this.isAbandoned ? new Paused() : new Error("stalled"));
      request.open("PUT", url);
      for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
      this.requests.add(request);
      this.onSending();
      watch(STALL);
      request.send(blob);
    });
  }

  // Nothing when all is well; the numbers of missing parts otherwise.
  async complete() {
    const tree = canHash() ? await this.tree() : "";
    try {
      await this.json("POST", `${this.createUrl}${this.id}/complete`, { tree });
      return null;
    } catch (error) {
      if (error instanceof Refusal && error.answer.missing) return error.answer.missing;
      throw error;
    }
  }

  async tree() {
    const parts = this.digests.slice(1).map(fromBase64);
    return `${base64(await digest(new Blob(parts)))}-${parts.length}`;
  }

  async json(method, url, body) {
    const stop = new AbortController();
    this.requests.add(stop);
    try {
      const response = await fetch(url, {
        method,
        signal: stop.signal,
        headers: { "Content-Type": "application/json", "X-CSRFToken": this.csrf },
        body: body && JSON.stringify(body),
      });
      const answer = parse(await response.text());
      if (response.status === 401) throw new SignedOut(answer.message);
      if (!response.ok) throw new Refusal(response.status, answer);
      return answer;
    } catch (error) {
      if (error.name === "AbortError") throw new Paused();
      throw error;
    } finally {
      this.requests.delete(stop);
    }
  }
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}
