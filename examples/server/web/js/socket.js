// One WebSocket that stays up: authentication as the first frame, renewal before expiry, reconnect with backoff.

import * as api from './api.js';
import * as session from './session.js';

const replyTimeout = 15_000;
const pingEvery = 25_000;

export class Socket {
  #ws = null;
  #waiting = new Map(); // request id → {resolve, reject, timer}
  #nextId = 1;
  #attempt = 0;
  #refused = 0;
  #timers = { reconnect: 0, renew: 0, ping: 0 };
  #stopped = false;

  /** on: {hello(frame), events(list), state('connecting'|'offline'|'online'), signedOut()} */
  constructor(on) {
    this.on = on;
    this.wake = () => { if (!this.#ws && !this.#stopped) this.connect(); };
    this.lost = () => this.#drop();
    this.seen = () => { if (document.visibilityState === 'visible') this.wake(); };
    addEventListener('online', this.wake);
    addEventListener('offline', this.lost);
    document.addEventListener('visibilitychange', this.seen);
  }

  async connect() {
    clearTimeout(this.#timers.reconnect);
    this.on.state(navigator.onLine ? 'connecting' : 'offline');
    const ws = new WebSocket(`${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/v1/ws`, 'wigwag.v1');
    this.#ws = ws;
    ws.onmessage = (e) => this.#receive(JSON.parse(e.data));
    ws.onclose = (e) => { if (this.#ws === ws) this.#closed(e); };
    try {
      const [token] = await Promise.all([api.accessToken(), new Promise((resolve) => { ws.onopen = resolve; })]);
      ws.send(JSON.stringify({ type: 'auth', token }));
    } catch (err) {
      if (err.status !== 401) ws.close();
    }
  }

  /** stop ends it for good. */
  stop() {
    this.#stopped = true;
    removeEventListener('online', this.wake);
    removeEventListener('offline', this.lost);
    document.removeEventListener('visibilitychange', this.seen);
    Object.values(this.#timers).forEach(clearTimeout);
    this.#ws?.close();
  }

  /** request sends a frame and gives the answer's data. Without a connection, or when it breaks, it fails with status 0. */
  request(type, fields) {
    return new Promise((resolve, reject) => {
      if (this.#ws?.readyState !== WebSocket.OPEN) return reject(new api.ApiError(0, { code: 'network' }));
      const id = String(this.#nextId++);
      // No answer means a dead line: closing it starts the reconnect, which repeats what is safe to repeat.
      const timer = setTimeout(() => this.#drop(), replyTimeout);
      this.#waiting.set(id, { resolve, reject, timer });
      this.#ws.send(JSON.stringify({ id, type, ...fields }));
    });
  }

  #receive(frame) {
    if (frame.type === 'hello') {
      this.#attempt = this.#refused = 0;
      this.#scheduleRenewal();
      this.#timers.ping = setTimeout(() => this.#ping(), pingEvery);
      this.on.state('online');
      this.on.hello(frame);
    } else if (frame.type === 'events') {
      this.on.events(frame.events);
    } else if (this.#waiting.has(frame.replyTo)) {
      const { resolve, reject, timer } = this.#waiting.get(frame.replyTo);
      this.#waiting.delete(frame.replyTo);
      clearTimeout(timer);
      if (frame.ok) resolve(frame.data);
      else reject(new api.ApiError(400, frame.error));
    }
  }

  #ping() {
    this.request('ping', {}).catch(() => {});
    this.#timers.ping = setTimeout(() => this.#ping(), pingEvery);
  }

  // A minute before the token ends a second auth frame renews the connection in place.
  #scheduleRenewal() {
    clearTimeout(this.#timers.renew);
    const left = (session.load()?.expiresAt ?? 0) - Date.now();
    this.#timers.renew = setTimeout(async () => {
      try {
        const token = await api.refresh(session.load()?.accessToken);
        await this.request('auth', { token });
        this.#scheduleRenewal();
      } catch { /* it will be closed with 4401 and come back */ }
    }, Math.max(1000, left - 60_000, left / 2));
  }

  // A dead line may take minutes to finish its closing handshake; we do not wait for it.
  #drop() {
    const ws = this.#ws;
    if (!ws) return;
    ws.onclose = ws.onmessage = null;
    ws.close();
    this.#closed({ code: 1006 });
  }

  async #closed({ code, reason }) {
    this.#ws = null;
    clearTimeout(this.#timers.renew);
    clearTimeout(this.#timers.ping);
    for (const { reject, timer } of this.#waiting.values()) {
      clearTimeout(timer);
      reject(new api.ApiError(0, { code: 'network' }));
    }
    this.#waiting.clear();
    if (this.#stopped) return;
    this.on.state(navigator.onLine ? 'connecting' : 'offline');
    let delay = Math.min(30_000, 500 * 2 ** this.#attempt++);
    if (code === 4401) {
      if (this.#refused++ > 2) return this.on.signedOut();
      try {
        await api.refresh(session.load()?.accessToken);
      } catch (err) {
        if (err.status === 401) return; // api has already told that the session is over
      }
      if (this.#refused === 1) delay = 0;
    }
    if (code === 4409 || code === 4429) delay = Math.max(delay, 10_000);
    const asked = code === 1012 ? Number(/\d+/.exec(reason)?.[0] ?? 0) : 0;
    if (this.#stopped) return;
    this.#timers.reconnect = setTimeout(this.wake, asked + delay * (0.5 + Math.random() / 2));
  }
}
