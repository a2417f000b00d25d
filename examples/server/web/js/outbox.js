// Messages on their way. Each is shown at once, sent in order, and repeated with the same clientId until the server
// has answered: it stores a clientId once, so a repeat after a broken connection never makes a second message.

import { profile } from './session.js';

const key = `wigwag:sending:${profile}`;

export class Outbox {
  #busy = false;

  constructor(store, socket) {
    Object.assign(this, { store, socket });
    // What was not acknowledged survives a reload of this tab.
    try { store.sending = JSON.parse(sessionStorage.getItem(key)) ?? []; } catch { store.sending = []; }
  }

  send(chatId, text) {
    const { store } = this;
    this.#keep([...store.sending, {
      chatId, text, clientId: newId(), senderId: store.me.id, kind: 'text', createdAt: new Date().toISOString(), local: 'pending',
    }]);
    this.flush();
  }

  retry(clientId) {
    this.#change(clientId, { local: 'pending', error: undefined });
    this.flush();
  }

  /** discard drops a message that could not be sent. */
  discard(clientId) {
    this.#keep(this.store.sending.filter((m) => m.clientId !== clientId));
  }

  /** arrived takes the stored message, from the answer or from the event, whichever comes first. */
  arrived(message) {
    if (message.clientId && this.store.sending.some((m) => m.clientId === message.clientId)) this.discard(message.clientId);
  }

  /** flush sends what waits, one after the other so that the order holds. Called again after each reconnect. */
  async flush() {
    if (this.#busy) return;
    this.#busy = true;
    try {
      for (let next; (next = this.store.sending.find((m) => m.local === 'pending'));) {
        await this.#sendOne(next);
        if (this.store.sending.length) await delay(80); // a long queue stays under the limit of frames a second
      }
    } catch { /* no connection: the next hello calls flush */ } finally {
      this.#busy = false;
    }
  }

  async #sendOne({ chatId, text, clientId }) {
    try {
      const message = await this.socket.request('message.send', { chatId, text, clientId });
      this.store.timelines.get(chatId)?.put({ ...message, clientId });
      const chat = this.store.chats.get(chatId);
      if (chat && message.seq > (chat.lastMessage?.seq ?? 0)) this.store.putChat({ id: chatId, lastMessage: message, lastMessageAt: message.createdAt });
      this.discard(clientId);
    } catch (err) {
      if (err.status === 0) throw err;
      if (err.temporary) await delay(1500);
      else this.#change(clientId, { local: 'failed', error: err.message });
    }
  }

  #change(clientId, fields) {
    this.#keep(this.store.sending.map((m) => (m.clientId === clientId ? { ...m, ...fields } : m)));
  }

  #keep(sending) {
    try { sessionStorage.setItem(key, JSON.stringify(sending)); } catch { /* full or forbidden: memory serves */ }
    this.store.set({ sending });
  }
}

const delay = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });

/** newId is a UUIDv4; crypto.randomUUID exists only in secure contexts, getRandomValues everywhere. */
function newId() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const b = crypto.getRandomValues(new Uint8Array(16));
  b[6] = (b[6] & 0x0f) | 0x40;
  b[8] = (b[8] & 0x3f) | 0x80;
  return [...b].map((x) => x.toString(16).padStart(2, '0')).join('').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}
