// What can be known of a file before a byte of it is sent. The portal stays the judge: what cannot be known here
// is said and stops nobody.
import { counted, lengthWords, sizeWords } from "./upload_words.js";

const PATIENCE = 10000; // for a browser that neither opens a film nor says it cannot

// {refusal, remarks}: words that stop this file, or none; and what its owner should know. `limits`: the endings allowed,
// most bytes, whether it is a video, its most minutes (0: no limit) and the longest it may be in seconds.
export async function preflight(file, limits) {
  const refusal = wrongType(file, limits) || wrongSize(file, limits);
  if (refusal || !limits.isVideo) return { refusal, remarks: [] };
  const film = await look(file);
  return { refusal: tooLong(film, limits), remarks: remarksOn(film, limits) };
}

function wrongType({ name }, { endings, isVideo }) {
  if (endings.some((ending) => name.toLowerCase().endsWith(ending))) return "";
  const names = endings.map((ending) => ending.slice(1).toUpperCase()).join(", ");
  return `This requirement takes ${isVideo ? "a video" : "a document"}: ${names}. Export your file as one of these.`;
}

function wrongSize({ size }, { max, isVideo }) {
  if (!size) return "This file is empty. Open it to see whether it is the one you meant, and choose again.";
  if (size <= max) return "";
  const advice = isVideo ? "Export the video at 720p." : "Reduce the size of its pictures.";
  return `This file is ${sizeWords(size)}; the most is ${sizeWords(max)}. ${advice}`;
}

function tooLong({ seconds }, { minutes, longest }) {
  if (!(seconds > longest)) return "";
  return (
    `This film is ${lengthWords(seconds)} long; the most is ${counted(minutes, "minute")}. ` +
    "Shorten it at its beginning or end, save it, and choose the new file. Nothing has been sent."
  );
}

function remarksOn({ isOpen, seconds, hasPicture, hasSound }, { minutes }) {
  const most = minutes ? ` The most is ${counted(minutes, "minute")}.` : "";
  if (!isOpen) return [`Your browser cannot look into this film; the portal will, once it has arrived.${most}`];
  return [
    seconds > 0 ? `${lengthWords(seconds)} long.` : `Its length cannot be read here.${most}`,
    hasPicture ? "" : "Your browser cannot show its picture. If it plays on your device, it can be used: the portal converts it.",
    hasSound === false ? "It has no sound, as far as can be seen here. Play it once before you send it." : "",
  ].filter(Boolean);
}

// Opens the film in an element nobody sees.
function look(file) {
  const video = document.createElement("video");
  const address = URL.createObjectURL(file);
  return new Promise((resolve) => {
    const end = (isOpen) => {
      clearTimeout(timer);
      resolve({ isOpen, seconds: lengthOf(video), hasPicture: video.videoWidth > 0, hasSound: isOpen ? soundOf(video) : undefined });
      video.removeAttribute("src");
      video.load();
      URL.revokeObjectURL(address);
    };
    const timer = setTimeout(() => end(false), PATIENCE);
    video.onloadedmetadata = () => ((video.onerror = null), end(true));
    video.onerror = () => end(false);
    video.preload = "metadata";
    video.muted = true;
    video.src = address;
  });
}

// Films recorded in a browser say no length, or an endless one.
const lengthOf = ({ duration }) => (Number.isFinite(duration) ? duration : 0);

// Each engine tells in its own way; undefined where it tells in none.
function soundOf(video) {
  if (typeof video.mozHasAudio === "boolean") return video.mozHasAudio;
  if (video.audioTracks) return video.audioTracks.length > 0;
  if (!video.captureStream) return undefined;
  try {
    return video.captureStream().getAudioTracks().length > 0;
  } catch {
    return undefined;
  }
}
