// The share of coaching as one types. The server computes it again, exactly, and decides: candidates/eligibility.py.

/** Hours typed, in whole hundredths; 0 for an empty box, null for what cannot be read. */
export const hundredths = (typed) => {
  const text = typed.trim().replace(",", ".");
  if (text === "") return 0;
  return /^\d{1,3}(\.\d{0,2})?$/.test(text) ? Math.round(Number(text) * 100) : null;
};

/** Tenths of a percent, rounded down as on the server: 69.99 % never reads as 70.0; null without hours. */
export const shareInTenths = (coaching, total) => (total > 0 ? Math.floor((coaching * 1000) / total) : null);

const plain = (hundreds) => String(hundreds / 100);

/** One sentence, and whether the share is enough; null while there is nothing to say. */
export const words = (hours, required) => {
  if (hours.includes(null)) return { text: "Enter each kind of work as a number of hours, for example 27.5", enough: null };
  const total = hours.reduce((sum, one) => sum + one, 0);
  const tenths = shareInTenths(hours[0], total);
  if (tenths === null) return null;
  const share = `Coaching is ${(tenths / 10).toFixed(1)} % of ${plain(total)} hours`;
  // Compared in whole numbers: hundredths of hours times percent.
  if (hours[0] * 100 >= required * total) return { text: `${share}. That is enough.`, enough: true };
  const least = Math.ceil((required * total) / 100);
  return { text: `${share}. At least ${required} % is asked, which would be ${plain(least)} of them.`, enough: false };
};

const KINDS = ["coaching", "administrative", "testing", "intervention", "other"];

const follow = (notice) => {
  const boxes = KINDS.map((kind) => document.querySelector(`[name="hours_${kind}"]`));
  const tell = () => {
    const said = words(boxes.map((box) => hundredths(box.value)), Number(notice.dataset.required));
    notice.hidden = said === null;
    if (said === null) return;
    notice.classList.toggle("notice-done", said.enough === true);
    notice.classList.toggle("notice-careful", said.enough === false);
    notice.querySelector("[data-words]").textContent = said.text;
  };
  for (const box of boxes) box.addEventListener("input", tell);
  tell();
};

const notice = globalThis.document?.querySelector("[data-coaching-share]");
if (notice) follow(notice);
