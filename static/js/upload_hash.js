// Digests, as the portal and S3 write them.
const EDGE = 1024 * 1024;

// crypto.subtle exists on https and localhost only; without it the portal hashes what it receives.
export const canHash = () => Boolean(globalThis.crypto?.subtle);

const sha256 = async (blob) => new Uint8Array(await crypto.subtle.digest("SHA-256", await blob.arrayBuffer()));
const base64 = (bytes) => btoa(String.fromCharCode(...bytes));
const fromBase64 = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
const hex = (number, digits) => number.toString(16).padStart(digits, "0");

// base64 of the SHA-256 of one part; empty where the browser cannot make one.
export async function digest(blob) {
  return canHash() ? base64(await sha256(blob)) : "";
}

// Of the whole file, from its parts' digests in order: "base64-N".
export async function tree(digests) {
  return canHash() ? `${base64(await sha256(new Blob(digests.map(fromBase64))))}-${digests.length}` : "";
}

// Size and the first, middle and last MiB: the same file under another name is found again, another file is not.
export async function fingerprint(file) {
  const starts = [0, Math.max(0, Math.floor(file.size / 2) - EDGE / 2), Math.max(0, file.size - EDGE)];
  const print = new Blob([String(file.size), ...starts.map((start) => file.slice(start, start + EDGE))]);
  if (!canHash()) return weakHash(new Uint8Array(await print.arrayBuffer()));
  return [...(await sha256(print))].map((byte) => hex(byte, 2)).join("");
}

// Only to find an unfinished upload again, never to trust one.
function weakHash(bytes) {
  const lanes = new Uint32Array(8).map((_, lane) => 0x811c9dc5 + lane);
  bytes.forEach((byte, index) => {
    lanes[index % 8] = Math.imul(lanes[index % 8] ^ byte, 0x01000193);
  });
  return [...lanes].map((lane) => hex(lane, 8)).join("");
}
