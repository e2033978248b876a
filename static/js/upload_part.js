// The bytes of one part on their way, by XMLHttpRequest: fetch tells nothing of progress.
import { Busy, Interrupted, LAST_ANSWER, Refusal, Silence, SignedOut, parse } from "./upload_portal.js";

const STALL = 60000; // no progress for so long while sending: the connection is dead

// `onProgress` gets the bytes that left. Throws Trouble, Refusal or Interrupted.
export function sendPart({ method, url, headers, blob, requests, onProgress }) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    let timer;
    let isStalled = false;
    const watch = (limit) => {
      clearTimeout(timer);
      timer = setTimeout(() => ((isStalled = true), request.abort()), limit);
    };
    const end = (settle, value) => {
      clearTimeout(timer);
      requests.delete(request);
      settle(value);
    };
    request.upload.onprogress = ({ loaded }) => {
      onProgress(Math.min(loaded, blob.size));
      watch(STALL);
    };
    request.upload.onload = () => watch(LAST_ANSWER); // the body is out; that no more leaves is no stall
    request.onload = () => (request.status < 300 ? end(resolve) : end(reject, refused(request)));
    request.onerror = () => end(reject, new Silence());
    request.onabort = () => end(reject, isStalled ? new Silence() : new Interrupted());
    request.open(method, url);
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    requests.add(request);
    watch(STALL);
    request.send(blob);
  });
}

// A store says no in many ways (an expired permission, a part damaged on its way); the portal, asked for the next
// permission, knows whether it is final. Only a full store is final at once.
function refused({ status, responseText }) {
  const answer = parse(responseText);
  if (status === 401) return new SignedOut(answer.message);
  return answer.code === "no-space" ? new Refusal(answer) : new Busy();
}
