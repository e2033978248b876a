// What is read out to whoever does not see the page: one polite place, one sentence at a time.
export function announce(words) {
  const place = document.querySelector("[data-announce]");
  if (place) place.textContent = words;
}

const MUTE = 60000; // the same trouble is not told again before

// One file's story: that it begins, each quarter, trouble, that it has arrived. Nothing else is read out.
export class Teller {
  constructor(name) {
    this.name = name;
    this.quarter = -1;
  }

  progress({ percent, skipped }) {
    const [before, quarter] = [this.quarter, Math.floor(percent / 25)];
    if (quarter <= before || quarter === 4) return;
    this.quarter = quarter;
    if (before < 0) announce(skipped ? `${this.name} goes on at ${percent} percent.` : `Uploading ${this.name}.`);
    else announce(`${this.name}: ${quarter * 25} percent.`);
  }

  warn(words) {
    if (!this.hasWarned) announce(`${this.name}: ${words}`);
    this.hasWarned = true;
  }

  trouble(words) {
    if (this.told === words && performance.now() - this.toldAt < MUTE) return;
    Object.assign(this, { told: words, toldAt: performance.now() });
    announce(`${this.name}: ${words}`);
  }
}
