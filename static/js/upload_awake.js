// The screen of a telephone stays on while files are sent, where the browser offers that.
let lock = null;
let isAsking = false;

export async function stayAwake(isNeeded) {
  if (!isNeeded) {
    await lock?.release();
    lock = null;
  } else if (!isAsking && (!lock || lock.released) && !document.hidden) {
    isAsking = true;
    lock = (await navigator.wakeLock?.request("screen").catch(() => null)) ?? null;
    isAsking = false;
  }
}
