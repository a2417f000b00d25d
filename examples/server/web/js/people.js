// Names of people, fetched once and remembered while the page lives.

import * as api from './api.js';

export class People {
  #users = new Map();
  #asked = new Set();

  constructor(store) {
    this.store = store;
  }

  put(user) {
    if (user) this.#users.set(user.id, user);
  }

  /** get gives what is known of a user now; what is not is fetched, and the views drawn again. */
  get(id) {
    if (id === this.store.me?.id) return this.store.me;
    if (!this.#users.has(id) && id && !this.#asked.has(id)) {
      this.#asked.add(id);
      api.get(`/v1/users/${encodeURIComponent(id)}`)
        .then((user) => { this.put(user); this.store.changed(); })
        .catch((err) => { if (err.temporary) this.#asked.delete(id); });
    }
    return this.#users.get(id);
  }

  /** name is how a person is called on screen. */
  name(id) {
    return displayName(this.get(id));
  }

  /** find looks someone up by exact phone number or @username; null when there is nobody, or nobody who may be found. */
  async find(text) {
    const term = text.trim();
    const phone = term.replace(/[\s().-]/g, '');
    const query = /^\+?\d{5,}$/.test(phone) ? { phone } : { username: term.replace(/^@/, '') };
    const { items } = await api.get('/v1/users', query);
    items.forEach((u) => this.put(u));
    return items[0] ?? null;
  }
}

export function displayName(user) {
  return user?.displayName || user?.username || user?.phoneNumber || 'Unknown';
}

/** chatTitle is the name of a chat: the other person's, or the group's. */
export function chatTitle(chat) {
  return chat.kind === 'direct' && chat.peer ? displayName(chat.peer) : chat.title || chat.externalNumber || 'Group';
}
