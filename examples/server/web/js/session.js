// Who is signed in on this tab.
//
// Tokens live in localStorage under a profile's name, and the profile stands in the address (?as=second).
// So a reload or a reopened window stays signed in, tabs with one address share one rotating refresh token,
// and a second account needs only another address. A strict Content-Security-Policy and a client without
// innerHTML keep foreign scripts away from them; sessionStorage would be read by such a script just as well.

export const profile = new URLSearchParams(location.search).get('as') || 'main';
const key = `wigwag:session:${profile}`;

/** load gives {accessToken, refreshToken, expiresAt (ms), user} or null. Always from storage: another tab may have renewed it. */
export function load() {
  try { return JSON.parse(localStorage.getItem(key)); } catch { return null; }
}

/** save keeps an API Tokens answer. */
export function save(tokens) {
  const { accessToken, refreshToken, expiresIn, user } = tokens;
  localStorage.setItem(key, JSON.stringify({ accessToken, refreshToken, expiresAt: Date.now() + expiresIn * 1000, user }));
}

/** saveUser keeps a changed profile beside the tokens. */
export function saveUser(user) {
  const session = load();
  if (session) localStorage.setItem(key, JSON.stringify({ ...session, user }));
}

export function clear() {
  localStorage.removeItem(key);
}

/** onEnd calls fn when another tab of this profile signs out. */
export function onEnd(fn) {
  addEventListener('storage', (e) => { if (e.key === key && e.newValue === null) fn(); });
}

/** anotherAddress is where a further account can be signed in beside this one. */
export function anotherAddress() {
  return `${location.pathname}?as=${Math.random().toString(36).slice(2, 7)}`;
}
