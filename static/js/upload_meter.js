// How far one file is and how fast it goes. Only what the portal has confirmed has arrived.
const WINDOW = 20000;
const ENOUGH = 1000; // over less than a second, speed is noise
const KEPT = "icg-upload-speed";

export class Meter {
  constructor(size) {
    this.size = size;
    this.confirmed = new Map();
    this.onItsWay = new Map();
    this.skipped = 0;
    this.partsSent = 0;
    this.samples = [];
  }

  // In an earlier visit: nothing moved now.
  skip(number, bytes) {
    this.confirmed.set(number, bytes);
    this.skipped += bytes;
  }

  // What is measured begins with the first part on its way, also after a rest.
  start() {
    if (!this.samples.length) this.sample();
  }

  move(number, bytes) {
    this.onItsWay.set(number, bytes);
    this.sample();
  }

  lose(number) {
    this.onItsWay.delete(number);
    this.confirmed.delete(number);
  }

  confirm(number, bytes) {
    this.onItsWay.delete(number);
    this.confirmed.set(number, bytes);
    this.partsSent += 1;
    this.sample();
    if (this.speed > 0) sessionStorage.setItem(KEPT, String(this.speed));
  }

  rest() {
    this.samples = [];
  }

  sample() {
    const now = performance.now();
    this.samples.push({ at: now, moved: this.sent - this.skipped });
    while (this.samples.length > 2 && now - this.samples[0].at > WINDOW) this.samples.shift();
  }

  get arrived() {
    return sum(this.confirmed);
  }

  get sent() {
    return this.arrived + sum(this.onItsWay);
  }

  // Whole percents, and not a hundred before everything is confirmed.
  get percent() {
    return this.arrived === this.size ? 100 : Math.min(99, Math.floor((this.sent * 100) / this.size));
  }

  // Bytes a second over the last seconds; falls when nothing moves.
  get speed() {
    const [first, last] = [this.samples.at(0), this.samples.at(-1)];
    const span = first ? performance.now() - first.at : 0;
    return span > ENOUGH ? Math.max(0, (last.moved - first.moved) / (span / 1000)) : 0;
  }

  get secondsLeft() {
    return (this.size - this.sent) / this.speed;
  }

  // Until the first part is through, the speed of files sent before is the only one measured. Endless where none is.
  get secondsExpected() {
    return (this.size - this.sent) / (this.partsSent ? this.speed : earlierSpeed());
  }
}

// Of files sent before in this tab; 0 where there were none.
export const earlierSpeed = () => Number(sessionStorage.getItem(KEPT));

const sum = (map) => [...map.values()].reduce((total, bytes) => total + bytes, 0);
