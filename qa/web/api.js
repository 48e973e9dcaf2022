// Calls to the server that served this page, and its stream of events.
import { OURS, enterKey } from "./key.js";

/** An error the server described (application/problem+json), or that it could not be reached. */
export class Problem extends Error {
  constructor(status, body) {
    super(body.detail || body.title || `The server answered with ${status}.`);
    this.status = status;
    this.code = body.code || "";
    this.reasons = body.reasons || [];
  }

  static async of(response) {
    return new Problem(response.status, await response.json().catch(() => ({})));
  }
}

/** Send a request; asks for the key when the server wants one. Throws Problem. */
export async function call(path, options = {}) {
  for (;;) {
    const response = await reach(path, options);
    if (response.ok) return response;
    if (response.status !== 401) throw await Problem.of(response);
    await enterKey();
  }
}

async function reach(path, options) {
  try {
    return await fetch(path, { cache: "no-store", ...options, headers: { ...options.headers, ...OURS } });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem(0, { detail: "The server does not answer." });
  }
}

/** Send a request and read its JSON. */
export const json = async (path, options) => (await call(path, options)).json();

/** Send a JSON body. */
export const post = (path, body, signal) =>
  call(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body), signal });

/** The named events of a response, one after another. */
export async function* events(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      const frames = (rest + value).split("\n\n");
      rest = frames.pop();
      for (const frame of frames) yield parsed(frame);
    }
  } finally {
    reader.cancel().catch(() => {}); // whoever stopped reading wants no more of it
  }
}

function parsed(frame) {
  const fields = Object.fromEntries(frame.split("\n").map((line) => line.split(/: (.*)/s, 2)));
  return { name: fields.event, data: JSON.parse(fields.data) };
}

/** Query parameters, without those that are not set. */
export function query(parameters) {
  const set = Object.entries(parameters).filter(([, value]) => value !== null && value !== undefined);
  return set.length ? `?${new URLSearchParams(set)}` : "";
}

/** Where a citation is read in its document: an address of ours, made from numbers and an id. */
export function documentLink(citation, collection) {
  const { start_char_index: start, end_char_index: end } = citation;
  const sha256 = citation.sha256?.slice(0, 16); // so that other words in the same place are not marked later
  const where = query({ collection: collection === "default" ? null : collection, start, end, sha256 });
  return `/documents/${encodeURIComponent(citation.document_id)}${where}#p${Number(citation.paragraph)}`;
}
