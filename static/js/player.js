// Films with more than the browser's own player: speed, steps, keys, moments to note, and links that lead to a moment.
// Without this file there is the browser's player alone, and links to moments lead to the film.

const STEP = 10;
const ADDRESS_LIVES = 50 * 60 * 1000; // a store's own address ends after an hour: after this, ask before it is used
const WAITS = [500, 2000, 5000, 15000, 30000, 60000];
const LOOK_AGAIN = [15000, 30000, 60000];
const REMEMBER_EVERY = 5;

// Storage may be full or forbidden; then nothing is remembered.
const remembered = (key) => { try { return localStorage.getItem(key); } catch { return null; } };
const remember = (key, value) => { try { localStorage.setItem(key, value); } catch { /* as it is */ } };
const forget = (key) => { try { localStorage.removeItem(key); } catch { /* as it is */ } };

export const clock = (seconds) => `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;

const films = new Set();

class Player {
  constructor(root) {
    this.root = root;
    this.video = root.querySelector("video");
    this.address = this.video.getAttribute("src");
    this.key = `icg-film-${root.dataset.player}`;
    this.failures = 0;
    this.plays = false;
    this.asked = performance.now();
    this.listen();
    this.showBar();
    this.setSpeed(remembered("icg-player-speed") ?? "1");
    this.goOn();
  }

  say(words) { this.root.querySelector("[data-player-status]").textContent = words; }

  listen() {
    const on = (name, act) => this.video.addEventListener(name, act);
    on("play", () => this.play());
    on("playing", () => { this.failures = 0; this.say(""); });
    on("canplay", () => { if (this.failures) this.say(""); });
    on("seeking", () => { this.wanted = this.video.currentTime; this.renewIfOld(); });
    on("seeked", () => { this.wanted = undefined; });
    on("timeupdate", () => { if (Math.abs(this.video.currentTime - (this.kept ?? 0)) >= REMEMBER_EVERY) this.keepPlace(); });
    on("pause", () => this.rest());
    on("ended", () => { this.kept = 0; forget(this.key); });
    on("error", () => this.failed());
    this.root.addEventListener("keydown", (event) => this.keyed(event));
  }

  showBar() {
    const bar = this.root.querySelector("[data-player-bar]");
    bar.hidden = this.root.querySelector("[data-player-keys]").hidden = false;
    bar.addEventListener("click", ({ target }) => {
      const button = target.closest("button");
      if (button?.dataset.skip) this.skip(Number(button.dataset.skip));
      if (button && "note" in button.dataset) this.note();
    });
    bar.querySelector("[data-speed]").addEventListener("change", ({ target }) => {
      remember("icg-player-speed", target.value);
      for (const film of films) film.setSpeed(target.value);
    });
  }

  setSpeed(speed) {
    const choice = this.root.querySelector("[data-speed]");
    choice.value = speed;
    if (choice.selectedIndex < 0) choice.value = "1";
    this.video.defaultPlaybackRate = this.video.playbackRate = Number(choice.value);
  }

  // ---- Where one is

  skip(seconds) {
    const most = Number.isFinite(this.video.duration) ? this.video.duration : Infinity;
    this.video.currentTime = Math.min(Math.max(this.video.currentTime + seconds, 0), most);
  }

  // Before anything is loaded, a time that is set is where the film will begin.
  goOn() {
    const place = Number(remembered(this.key));
    if (!(place > 0)) return;
    this.video.currentTime = this.kept = place;
    this.say(`You were at ${clock(place)}; it goes on from there.`);
  }

  keepPlace() {
    this.kept = this.video.currentTime;
    if (!this.video.ended && !this.video.error) remember(this.key, String(Math.floor(this.kept)));
  }

  show(second) {
    this.say("");
    this.video.preload = "auto";
    this.video.currentTime = second;
    this.root.closest("article").scrollIntoView({ block: "nearest" });
    this.video.focus({ preventScroll: true });
  }

  // ---- One film at a time

  play() {
    this.plays = true;
    for (const film of films) if (film !== this) film.video.pause();
    this.renewIfOld();
  }

  // A browser also pauses a film whose connection broke; that is nobody's wish.
  rest() {
    if (!this.video.error) this.plays = false;
    this.keepPlace();
  }

  // ---- The address: our own, which may lead to one of the store's that ends

  renewIfOld() {
    if (performance.now() - this.asked > ADDRESS_LIVES) this.renew();
  }

  // Somebody may have moved since the film was lost, and not have got there: the place is what they wanted.
  renew() {
    const goesOn = this.plays, place = this.wanted ?? this.video.currentTime;
    this.asked = performance.now();
    this.video.preload = "auto"; // what was begun is shown where it stood, without a press
    this.video.src = this.address;
    this.video.currentTime = place;
    if (goesOn) this.start();
  }

  start() {
    this.video.play().catch(() => { /* the browser wants a press first, or another load came between */ });
  }

  failed() {
    const wait = WAITS[this.failures++];
    if (wait === undefined) return this.say("This film does not play at the moment. Reload the page, or try again later.");
    this.say("The film was lost on its way. It is fetched again in a moment.");
    const again = setTimeout(() => this.renew(), wait);
    this.isGone().then((isGone) => { if (isGone) this.giveUp(again); });
  }

  // Removed or withdrawn while the page was open. Where a store would be asked, our own address still answers first.
  async isGone() {
    try {
      const { status } = await fetch(this.address, { method: "HEAD", redirect: "manual" });
      return status === 404 || status === 410;
    } catch {
      return false; // offline
    }
  }

  giveUp(again) {
    clearTimeout(again);
    this.say("This film is no longer here.");
  }

  // ---- Keys and notes

  keyed(event) {
    if (event.ctrlKey || event.altKey || event.metaKey || event.target.matches("select, input, textarea")) return;
    const act = {
      j: () => this.skip(-STEP),
      k: () => (this.video.paused ? this.start() : this.video.pause()),
      l: () => this.skip(STEP),
      n: () => this.note(),
    }[event.key.toLowerCase()];
    if (!act) return;
    event.preventDefault();
    act();
  }

  note() {
    const choice = this.root.querySelector("[data-note-field]");
    if (!choice) return;
    const label = this.root.dataset.label;
    const stamp = `[${label ? `${label} ` : ""}${clock(this.video.currentTime)}] `;
    document.dispatchEvent(new CustomEvent("moment", { detail: { stamp, field: choice.value } }));
  }
}

function found() {
  for (const film of films) if (!film.root.isConnected) films.delete(film);
  const known = new Set([...films].map(({ root }) => root));
  for (const root of document.querySelectorAll("[data-player]")) if (!known.has(root)) films.add(new Player(root));
}

const filmOf = (number) => [...films].find(({ root }) => root.dataset.film === String(number));

// ---- Links to moments

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-second]");
  const film = link && link.pathname === location.pathname && filmOf(link.dataset.film);
  if (!film || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  film.show(Number(link.dataset.second));
  film.start();
});

// From another page: ?at=130#film-2
function arrive() {
  const second = Number(new URLSearchParams(location.search).get("at"));
  const film = filmOf(location.hash.replace("#film-", ""));
  if (film && second >= 0 && location.search) film.show(second);
}

// The field a moment goes into is the one last written in, unless another is chosen.
document.addEventListener("focusin", ({ target }) => {
  for (const choice of document.querySelectorAll("[data-note-field]")) {
    if ([...choice.options].some(({ value }) => value === target.id)) choice.value = target.id;
  }
});
document.addEventListener("change", ({ target }) => {
  if (!target.matches("[data-note-field]")) return;
  for (const choice of document.querySelectorAll("[data-note-field]")) choice.value = target.value;
});

addEventListener("pagehide", () => { for (const film of films) if (!film.video.paused) film.keepPlace(); });

// ---- Files that are still being prepared: the page looks again, and what is typed stays

let looks = 0;

function lookLater() {
  if (!document.querySelector("[data-waiting]")) return;
  setTimeout(lookAgain, LOOK_AGAIN[Math.min(looks++, LOOK_AGAIN.length - 1)]);
}

async function lookAgain() {
  try {
    const answer = await fetch(location.href, { redirect: "error" });
    if (answer.ok) renewWaiting(new DOMParser().parseFromString(await answer.text(), "text/html"));
  } catch { /* offline, or signed out: the next look may do better */ }
  lookLater();
}

// Words at every look; a film (the candidate's own, as it came) once another is there, and not while it plays.
function renewWaiting(page) {
  for (const old of document.querySelectorAll("[data-waiting]")) {
    const now = page.getElementById(old.id), video = old.querySelector("video");
    const isBetter = !video || (video.paused && now && !("waiting" in now.dataset));
    if (now && isBetter) old.replaceWith(document.importNode(now, true));
  }
  found();
}

found();
arrive();
lookLater();
