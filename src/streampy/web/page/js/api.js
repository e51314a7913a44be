// The routes of the server, each as a function. Paths are relative, so that the page may lie under any prefix.

export class Refused extends Error {
  constructor(message, kind, status, traceback) {
    super(message);
    this.kind = kind;
    this.status = status;
    this.traceback = traceback;
  }
}

export function ofProcess(process, verb, body = {}) {
  return post(`api/processes/${encodeURIComponent(process)}/${verb}`, body);
}

export function ofSegment(segment, verb, body = {}) {
  return post(`api/segments/${encodeURIComponent(segment)}/${verb}`, body);
}

/** @returns {segment id: result} of each replica that has the unit */
export async function ofUnit(process, unit, verb, body = {}) {
  const answer = await post(`api/processes/${encodeURIComponent(process)}/units/${encodeURIComponent(unit)}/${verb}`, body);
  return answer.segments ?? {};
}

async function post(path, body) {
  const request = { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
  let response;
  try {
    response = await fetch(path, request);
  } catch {
    throw new Refused("the server of this page does not answer", "Unreachable", 0, "");
  }
  const answer = await response.json().catch(() => ({}));
  if (response.ok) return answer;
  const error = answer.error ?? {};
  const message = error.message ?? (response.status === 401 ? "the server asks for its token: open /?token=..." : response.statusText);
  throw new Refused(message, error.kind ?? "", response.status, error.traceback ?? "");
}
