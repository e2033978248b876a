// How the upload page says numbers and times. Knows no page and no network.

// As the portal itself says sizes: steps of 1000, one decimal below ten.
export function sizeWords(bytes) {
  const [unit, name] = [[1e9, "GB"], [1e6, "MB"], [1e3, "KB"]].find(([step]) => bytes >= step) ?? [1, "bytes"];
  const tenths = Math.floor((bytes * 10) / unit);
  return `${unit === 1 || tenths >= 100 ? Math.floor(bytes / unit) : (tenths / 10).toFixed(1)} ${name}`;
}

export const counted = (number, noun) => `${number} ${noun}${number === 1 ? "" : "s"}`;

export function spanWords(seconds) {
  const minutes = Math.max(1, Math.round(seconds / 60));
  if (seconds < 60) return "less than a minute";
  return minutes < 90 ? `about ${counted(minutes, "minute")}` : `about ${counted(Math.round(minutes / 60), "hour")}`;
}

export function lengthWords(seconds) {
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")} minutes`;
}

export function clockWords(instant) {
  const [hour, minute] = [instant.getHours(), String(instant.getMinutes()).padStart(2, "0")];
  return `${hour % 12 || 12}:${minute} ${hour < 12 ? "a.m." : "p.m."}`;
}

export function speedWords(bytesPerSecond, seconds) {
  if (!(bytesPerSecond > 0)) return "";
  return `${sizeWords(bytesPerSecond)} a second · ${spanWords(seconds)} left`;
}

const DAY = 24 * 3600;

// Whether it will be through in time. All in seconds from now, `finishAt` a Date; nothing while closing is far away.
export function closingWords({ takes, closesIn, finishIn, finishAt }) {
  if (closesIn > DAY || finishIn <= 0) return "";
  const [takesWords, until] = [spanWords(takes), `${clockWords(finishAt)} your time`];
  if (takes > finishIn) {
    return (
      `At this speed it takes ${takesWords}, but the portal takes it only until ${until}. ` +
      "Use a faster connection, or stop and send a smaller export (720p)."
    );
  }
  if (closesIn <= 0) return `This will take ${takesWords}. The window is closed, but it began in time and may finish until ${until}.`;
  if (takes > closesIn) {
    return (
      `This will take ${takesWords} and will not be through before the window closes in ${spanWords(closesIn).replace("about ", "")}. ` +
      `An upload that begins before closing may finish until ${until}, so leave this page open.`
    );
  }
  return `This will take ${takesWords}; the window closes in ${spanWords(closesIn).replace("about ", "")}.`;
}
