// What the entry's page tells its script, on the template of a row.
const loaded = performance.now();
const { create, at, closes, finish } = document.querySelector("[data-row-template]").dataset;

export const createUrl = create;

// In seconds from now, by the page's own instant, which a rehearsal may have moved.
export function untilClosing() {
  const now = Date.parse(at) + performance.now() - loaded;
  const [closesIn, finishIn] = [closes, finish].map((instant) => (Date.parse(instant) - now) / 1000);
  return { closesIn, finishIn, finishAt: new Date(finish) };
}
