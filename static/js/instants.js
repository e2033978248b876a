// Adds the reader's own time zone beside each instant of the programme, and keeps countdowns true.
// Server side: icg_cert/templatetags/look.py. Without this script the page still says everything in the programme's zone.

const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;

const parts = (moment, timeZone) =>
  Object.fromEntries(
    new Intl.DateTimeFormat("en-GB", {
      timeZone, year: "numeric", month: "long", day: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23",
    }).formatToParts(moment).map(({ type, value }) => [type, value]),
  );

const isoDay = (moment, timeZone) => new Intl.DateTimeFormat("en-CA", { timeZone }).format(moment);

const clockWords = ({ hour, minute }) => `${hour % 12 || 12}:${minute} ${hour < 12 ? "a.m." : "p.m."}`;

const zoneName = (moment) => {
  const named = new Intl.DateTimeFormat("en-US", { timeZone: zone, timeZoneName: "longGeneric" })
    .formatToParts(moment).find(({ type }) => type === "timeZoneName");
  return named ? named.value : zone;
};

/** The offset of an ISO instant as it is written ("-05:00"), in minutes. */
const writtenOffset = (iso) => {
  const [, sign, hours, minutes] = /([+-])(\d\d):(\d\d)$/.exec(iso) ?? [null, "+", "0", "0"];
  return (sign === "-" ? -1 : 1) * (Number(hours) * 60 + Number(minutes));
};

export const readerWords = (iso, shown) => {
  const moment = new Date(iso);
  if (-moment.getTimezoneOffset() === writtenOffset(iso)) return "";
  const there = parts(moment, zone);
  const on = isoDay(moment, zone) === shown ? "" : `${there.day} ${there.month} ${there.year}, `;
  return `(${on}${clockWords(there)} ${zoneName(moment)})`;
};

const count = (number, unit) => (number ? `${number} ${unit}${number === 1 ? "" : "s"}` : "");

export const leftWords = (milliseconds) => {
  const minutes = Math.floor(milliseconds / 60000);
  const [days, hours, rest] = [Math.floor(minutes / 1440), Math.floor(minutes / 60) % 24, minutes % 60];
  const words = days ? [count(days, "day"), count(hours, "hour")] : [count(hours, "hour"), count(rest, "minute")];
  return `${words.filter(Boolean).join(" ") || "less than a minute"} left`;
};

export const tellInstants = (root = document) => {
  for (const instant of root.querySelectorAll("[data-shown]")) {
    const words = readerWords(instant.querySelector("time").getAttribute("datetime"), instant.dataset.shown);
    instant.querySelector(".instant-reader").textContent = words && ` ${words}`;
  }
};

// The page's own instant (which a rehearsal may have moved) runs on from when it was shown.
const loaded = performance.now();
const countDown = () => {
  for (const countdown of document.querySelectorAll("[data-countdown]")) {
    const now = Date.parse(countdown.dataset.at) + performance.now() - loaded;
    const left = Date.parse(countdown.dataset.countdown) - now;
    countdown.textContent = left > 0 ? leftWords(left) : "this has passed";
  }
};

tellInstants();
if (document.querySelector("[data-countdown]")) setInterval(countDown, 30000);
document.addEventListener("htmx:afterSwap", ({ target }) => tellInstants(target));
