// The HTTP side of the API: JSON in and out, typed errors, and access tokens that renew themselves.

import * as session from './session.js';

/** ApiError carries the server's stable code; status 0 means that no answer came. */
export class ApiError extends Error {
  constructor(status, { code = 'internal', message = 'Something went wrong. Please try again.', details } = {}) {
    super(message);
    Object.assign(this, { status, code, details, field: details?.field });
  }

  /** temporary tells whether the same request may succeed a little later. */
  get temporary() {
    return this.status === 0 || this.code === 'rate_limited' || this.code === 'unavailable';
  }
}

const offline = () => new ApiError(0, { code: 'network', message: 'No connection. Check your network and try again.' });

async function call(method, path, { body, token } = {}) {
  const headers = {};
  if (body !== undefined) headers['Content-Type'] = 'application/json';
  if (token) headers.Authorization = `Bearer ${token}`;
  let response;
  try {
    response = await fetch(path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body), cache: 'no-store' });
  } catch {
    throw offline();
  }
  const text = await response.text().catch(() => { throw offline(); });
  let data = null;
  try { data = text ? JSON.parse(text) : null; } catch { /* not ours: the status speaks */ }
  if (!response.ok) throw new ApiError(response.status, data?.error);
  return data;
}

/** open calls what needs no signing in. */
export const open = (method, path, body) => call(method, path, { body });

/** request calls with the access token; a refused token is renewed once. */
export async function request(method, path, body) {
  const token = await accessToken();
  try {
    return await call(method, path, { body, token });
  } catch (err) {
    if (err.status !== 401) throw err;
    return call(method, path, { body, token: await refresh(token) });
  }
}

export const get = (path, query) => request('GET', query ? `${path}?${new URLSearchParams(query)}` : path);
export const post = (path, body) => request('POST', path, body);
export const patch = (path, body) => request('PATCH', path, body);
export const del = (path) => request('DELETE', path);

/** all reads a paged list to its end, at most max items. */
export async function all(path, query = {}, max = 2000) {
  const items = [];
  let cursor = '';
  do {
    const page = await get(path, { limit: 200, ...query, ...(cursor && { cursor }) });
    items.push(...page.items);
    cursor = page.next;
  } while (cursor && items.length < max);
  return items;
}

/** accessToken gives a token with at least half a minute left. */
export async function accessToken() {
  const s = session.load();
  if (!s) throw signedOut();
  return s.expiresAt - Date.now() > 30_000 ? s.accessToken : refresh(s.accessToken);
}

let refreshing = null;

/** refresh replaces a token that no longer serves; all callers share one request, and so do tabs (Web Locks). */
export function refresh(stale) {
  const renew = async () => {
    const s = session.load();
    if (!s) throw signedOut();
    if (s.accessToken !== stale && s.expiresAt > Date.now()) return s.accessToken; // another tab was faster
    try {
      session.save({ user: s.user, ...(await open('POST', '/v1/auth/refresh', { refreshToken: s.refreshToken })) });
    } catch (err) {
      if (err.status === 401 || err.status === 400) throw signedOut();
      throw err;
    }
    return session.load().accessToken;
  };
  // navigator.locks exists only in secure contexts; over plain HTTP in a LAN each tab renews for itself.
  refreshing ??= (navigator.locks ? navigator.locks.request(`wigwag:refresh:${session.profile}`, renew) : renew())
    .finally(() => { refreshing = null; });
  return refreshing;
}

let ended = () => {};

/** onSignedOut is called when the session is over and only signing in again helps. */
export function onSignedOut(fn) {
  ended = fn;
}

function signedOut() {
  queueMicrotask(ended);
  return new ApiError(401, { code: 'session_expired', message: 'You were signed out.' });
}
