// Calls to the portal in JSON, and what can come of a call: an answer, trouble that passes, or a definite no.
const PATIENCE = 60000;
const GONE = "This upload is not open any more, or somebody else is signed in now. Reload the page to see where it stands.";
export const LAST_ANSWER = 300000; // slow proxies hold an answer long; only then is it given up

// Worth another try. The message says to the candidate what is the matter.
export class Trouble extends Error {}
export class Silence extends Trouble {
  constructor() {
    super("Connection lost. It goes on by itself when the network is back.");
  }
}
export class Busy extends Trouble {
  constructor() {
    super("The portal did not answer as it should. It is asked again, and nothing is lost.");
  }
}
export class SignedOut extends Trouble {}

// The portal's final no.
export class Refusal extends Error {
  constructor(answer) {
    super(answer.message || "The portal did not accept this file. Reload the page and try again.");
    this.answer = answer;
  }
}

// By pressing Pause or Remove.
export class Interrupted extends Error {}

// Signing in makes a new token, so it is read anew each time.
export function csrfToken() {
  const cookie = /(?:^|; )csrftoken=([^;]+)/.exec(document.cookie);
  return cookie ? cookie[1] : document.querySelector("[name=csrfmiddlewaretoken]")?.value;
}

export function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}

// `requests` holds whatever can be broken off. Throws Trouble, Refusal or Interrupted.
export async function call(method, url, { body, requests = new Set(), patience = PATIENCE } = {}) {
  const stop = new AbortController();
  let isLate = false;
  const timer = setTimeout(() => ((isLate = true), stop.abort()), patience);
  requests.add(stop);
  try {
    const headers = { Accept: "application/json", "Content-Type": "application/json", "X-CSRFToken": csrfToken() };
    const response = await fetch(url, { method, headers, signal: stop.signal, body: body && JSON.stringify(body) });
    return read(response.status, await response.text());
  } catch (error) {
    if (error instanceof Trouble || error instanceof Refusal) throw error;
    throw error.name === "AbortError" && !isLate ? new Interrupted() : new Silence();
  } finally {
    clearTimeout(timer);
    requests.delete(stop);
  }
}

function read(status, text) {
  const answer = parse(text);
  if (status < 300) return answer;
  if (status === 401) throw new SignedOut(answer.message);
  // Without a code it is not the view that speaks: the token of a session that ended meanwhile.
  if (status === 403 && !answer.code) throw new SignedOut("Your sign-in has changed. Sign in again in another tab.");
  if ((status >= 500 && answer.code !== "no-space") || (status === 429 && !answer.code)) throw new Busy();
  if (status === 404 && !answer.code) throw new Refusal({ message: GONE });
  throw new Refusal(answer);
}
