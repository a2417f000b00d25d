// Reads messages of a chat from the server into its timeline.

import * as api from './api.js';

const pageSize = 50;

export class History {
  #refreshing = new Set();

  constructor(store, sync, people) {
    Object.assign(this, { store, sync, people });
  }

  /** open reads the newest page the first time a chat is shown. */
  async open(chatId) {
    const { store } = this;
    const timeline = store.timeline(chatId);
    const chat = store.chats.get(chatId);
    if (chat.kind === 'group') this.members(chatId);
    if (timeline.state === 'ready' || timeline.state === 'loading') return;
    timeline.state = 'loading';
    try {
      // Enough to begin with what is unread, as far as one page may reach.
      const limit = Math.min(200, Math.max(pageSize, (chat.unreadCount || 0) + 20));
      const { items } = await api.get(path(chatId), { limit });
      timeline.addPage(items, items.length === limit);
      timeline.placeDivider(chat.unreadCount, store.me.id);
      this.sync.watch(chatId, timeline.hasOlder ? timeline.first - 1 : 0).catch(() => {});
    } catch {
      timeline.state = 'failed';
    }
    store.changed();
  }

  /** older reads the page before the run; one at a time. */
  async older(chatId) {
    const timeline = this.store.timelines.get(chatId);
    if (!timeline?.hasOlder || timeline.state !== 'ready' || timeline.readingOlder) return;
    timeline.readingOlder = true;
    try {
      const { items } = await api.get(path(chatId), { before: timeline.first, limit: pageSize });
      timeline.addPage(items, items.length === pageSize);
    } catch { /* scrolling up again asks again */ } finally {
      timeline.readingOlder = false;
    }
    this.store.changed();
  }

  /** statuses reads the newest page again for the ticks of a group, where one mark alone decides nothing. */
  async statuses(chatId) {
    const timeline = this.store.timelines.get(chatId);
    if (this.#refreshing.has(chatId) || timeline?.state !== 'ready') return;
    this.#refreshing.add(chatId);
    await new Promise((resolve) => { setTimeout(resolve, 300); }); // receipts of many members come together
    this.#refreshing.delete(chatId);
    try {
      const { items } = await api.get(path(chatId), { limit: pageSize });
      items.forEach((m) => timeline.edit(m));
      this.store.changed();
    } catch { /* the next receipt tries again */ }
  }

  /** members reads a group's members, all pages, unless they are known. */
  async members(chatId) {
    const { store } = this;
    if (store.members.has(chatId)) return;
    try {
      const items = await api.all(`/v1/groups/${encodeURIComponent(chatId)}/members`);
      items.forEach((m) => this.people.put(m.user));
      store.members.set(chatId, items);
      store.changed();
    } catch { /* names come one by one, and the panel offers to try again */ }
  }
}

const path = (chatId) => `/v1/chats/${encodeURIComponent(chatId)}/messages`;
