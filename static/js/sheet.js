// The scoring sheet saves itself. Every save names the version it was made on; the server refuses one that another tab
// has overtaken, and the scorer decides. Until a save has arrived, this browser keeps a copy of what was typed, with
// that version: if the sheet was saved elsewhere meanwhile, both are shown.

const form = document.querySelector("form[data-sheet]");
const status = form.querySelector("[data-sheet-status]");
const version = form.elements.version;
const copyKey = `icg-sheet-${form.dataset.sheet}`;
const PAUSE = 1200;
const WAITS = [2000, 5000, 15000, 30000, 60000];

let timer, underWay, refused = false, failures = 0;

const say = (words) => { status.textContent = words; };

// What is on the page, as the server names it: [["value-3", "2.75"], ...], without what only the transport needs.
const typed = () => [...new FormData(form)].filter(([name]) => !["csrfmiddlewaretoken", "version", "then"].includes(name));
const asWords = (pairs) => JSON.stringify(pairs.map(([name, value]) => [name, value.replaceAll("\r\n", "\n")]).filter(([, value]) => value !== "").sort());
let savedWords = asWords(typed());

function put(pairs) {
  const of = (name) => pairs.filter(([other]) => other === name).map(([, value]) => String(value));
  for (const field of form.elements) {
    if (["checkbox", "radio"].includes(field.type)) field.checked = of(field.name).includes(field.value);
    else if (field.tagName === "TEXTAREA") field.value = of(field.name)[0] ?? "";
  }
}

// ---- The copy in this browser. Storage may be full or forbidden; then the page itself is the only copy.

function keepCopy() {
  try { localStorage.setItem(copyKey, JSON.stringify({ version: version.value, pairs: typed() })); } catch { /* the page still holds it */ }
}

function dropCopy() {
  try { localStorage.removeItem(copyKey); } catch { /* nothing was kept */ }
}

function offerCopy() {
  let copy = null;
  try { copy = JSON.parse(localStorage.getItem(copyKey)); } catch { /* unreadable is as good as none */ }
  if (!Array.isArray(copy?.pairs) || asWords(copy.pairs) === savedWords) return dropCopy();
  if (copy.version !== version.value) return compare(copy.pairs);
  ask("unsaved", {
    keep: () => { put(copy.pairs); later(0); },
    take: dropCopy,
  });
}

// The copy is of an earlier version: what is saved stands beside it, and nothing is saved before one of them is chosen.
function compare(copy) {
  const saved = { ...Object.fromEntries([...form.elements].filter(({ name }) => /^(value|evidence)-|^comment$/.test(name)).map(({ name }) => [name, ""])), ...Object.fromEntries(typed().filter(([name]) => name !== "feedback")) };
  const chosen = typed().filter(([name]) => name === "feedback").map(([, key]) => key);
  put(copy);
  overtaken({ ...saved, feedback: chosen, version: version.value });
}

// ---- Saving

function later(pause = PAUSE) {
  if (refused) return;
  clearTimeout(timer);
  timer = setTimeout(save, pause);
}

async function save() {
  clearTimeout(timer);
  if (underWay) return underWay.then(() => later());
  const words = asWords(typed());
  if (refused || words === savedWords) return;
  say("Saving…");
  underWay = send().then((answer) => settle(answer, words), unreachable).finally(() => { underWay = undefined; });
  return underWay;
}

const send = () => fetch(form.action, {
  method: "POST",
  body: new FormData(form),
  headers: { Accept: "application/json" },
  redirect: "manual",
});

async function settle(response, words) {
  if (response.type === "opaqueredirect" || response.status === 403) return signedOut();
  if (response.status >= 500) return unreachable();
  const answer = await response.json();
  if (response.ok) return arrived(answer, words);
  if (answer.code === "stale") return overtaken(answer.saved);
  if (response.status === 422) return say(`Not saved yet. ${Object.values(answer.fields).flat().join(" ")}`);
  refused = true;
  say(`Not saved. ${answer.message}`);
}

function arrived({ version: now, saved_at: at, moments }, words) {
  failures = 0;
  version.value = now;
  savedWords = words;
  showMoments(moments);
  const clock = new Date(at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  say(`Saved at ${clock}`);
  if (asWords(typed()) !== words) return later();
  dropCopy();
  form.dispatchEvent(new Event("saved"));
}

// The links to moments that the server read out of the saved notes.
function showMoments(moments) {
  for (const place of form.querySelectorAll("[data-moments]")) place.innerHTML = moments[place.dataset.moments] ?? "";
}

function unreachable() {
  say("No connection. What you typed is kept in this browser and saved as soon as the connection is back.");
  later(WAITS[Math.min(failures++, WAITS.length - 1)]);
}

function signedOut() {
  say("Not saved: you are signed out. Sign in again in another tab; what you typed here stays and is saved then.");
  later(WAITS[2]);
}

// ---- Another tab was faster

function overtaken(saved) {
  refused = true;
  say("Not saved: you saved this sheet in another tab or on another device since.");
  const pairs = Object.entries(saved).flatMap(([name, value]) => Array.isArray(value) ? value.map((one) => [name, String(one)]) : [[name, String(value)]]);
  const go = (then) => () => { refused = false; version.value = saved.version; then(); };
  const notice = ask("conflict", {
    keep: go(() => { savedWords = ""; save(); }),
    take: go(() => { put(pairs); savedWords = asWords(typed()); dropCopy(); say("This is what you saved in the other tab."); form.dispatchEvent(new Event("saved")); }),
  });
  const here = new Map();
  for (const [name, value] of typed()) here.set(name, value.replaceAll("\r\n", "\n"));
  for (const [name, value] of pairs) {
    if (name === "version" || name === "feedback" || (here.get(name) ?? "") === value) continue;
    const row = document.createElement("div");
    row.append(Object.assign(document.createElement("dt"), { textContent: labelOf(name) }), Object.assign(document.createElement("dd"), { textContent: value || "empty" }));
    notice.querySelector("dl").append(row);
  }
}

function labelOf(name) {
  const [kind, key] = name.split("-");
  const criterion = document.querySelector(`#value-${key} legend`)?.textContent;
  if (kind === "value") return criterion;
  return kind === "evidence" ? `Evidence for ${criterion}` : "Comment to the candidate";
}

// A question from the page's own <template>, with two answers.
function ask(name, answers) {
  form.querySelector("[data-asked]")?.remove();
  const notice = form.querySelector(`template[data-ask="${name}"]`).content.firstElementChild.cloneNode(true);
  for (const [answer, act] of Object.entries(answers)) {
    notice.querySelector(`[data-${answer}]`).addEventListener("click", () => { notice.remove(); act(); });
  }
  form.prepend(notice);
  notice.focus();
  return notice;
}

// ---- A moment of a film (player.js), written on a line of its own below what stands in its field

document.addEventListener("moment", ({ detail: { stamp, field: id } }) => {
  const field = document.getElementById(id);
  const end = field.value.length;
  const gap = end && !field.value.endsWith("\n") ? "\n" : "";
  field.focus();
  field.setRangeText(gap + stamp, end, end, "end");
  field.dispatchEvent(new Event("input", { bubbles: true }));
});

form.addEventListener("input", () => { keepCopy(); later(); });
addEventListener("online", () => later(0));
document.addEventListener("visibilitychange", () => { if (document.hidden) save(); });

// ---- Keys: on a value its level, minus and plus, the next and the one before; anywhere, on to the last look

const groups = [...form.querySelectorAll("fieldset.rubric")];
const values = (group) => [...group.querySelectorAll("[type=radio]")];
const LEVELS = { 1: "1.00", 2: "2.00", 3: "3.00", 4: "4.00" };

function choose(radio) {
  if (!radio) return;
  radio.checked = true;
  radio.focus();
  radio.dispatchEvent(new Event("input", { bubbles: true }));
}

function shade(group, quarter) {
  const chosen = values(group).find(({ checked }) => checked);
  const wanted = chosen && (Number(chosen.value) + quarter).toFixed(2);
  choose(values(group).find(({ value }) => value === wanted));
}

function visit(group) {
  if (group) (values(group).find(({ checked }) => checked) ?? values(group)[0]).focus();
}

form.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    return form.requestSubmit(form.querySelector("[name=then]"));
  }
  if (event.ctrlKey || event.altKey || event.metaKey || !event.target.matches("[type=radio]")) return;
  const group = event.target.closest("fieldset.rubric"), place = groups.indexOf(group);
  const act = {
    n: () => visit(groups[place + 1]),
    p: () => visit(groups[place - 1]),
    "+": () => shade(group, 0.25),
    "-": () => shade(group, -0.25),
  }[event.key.toLowerCase()] ?? (LEVELS[event.key] && (() => choose(values(group).find(({ value }) => value === LEVELS[event.key]))));
  if (place < 0 || !act) return;
  event.preventDefault();
  act();
});

for (const keys of form.querySelectorAll("[data-sheet-keys]")) keys.hidden = false;

// A save on its way changes the version; the form waits for it, or it would overtake itself.
form.addEventListener("submit", (event) => {
  clearTimeout(timer);
  if (!underWay) return;
  event.preventDefault();
  underWay.then(() => { if (!refused) form.requestSubmit(event.submitter); });
});

offerCopy();
