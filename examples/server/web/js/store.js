// What the views show: chats, people, the messages on screen, waiting sends. Views subscribe and draw what they find.

import { Timeline } from './timeline.js';

export class Store {
  me = null;
  connection = 'connecting'; // 'connecting' | 'offline' | 'online'
  loaded = false; // the chat list has been read once
  active = null; // id of the chat on screen
  chats = new Map(); // id → Chat of the API
  timelines = new Map(); // id → Timeline, for chats that were opened
  members = new Map(); // group id → [{user, role, joinedAt}]
  sending = []; // messages not yet acknowledged, oldest first; see outbox.js

  #listeners = new Set();
  #scheduled = false;

  /** subscribe calls fn after changes, once for all that happen together, and gives the function that ends it. */
  subscribe(fn) {
    this.#listeners.add(fn);
    return () => this.#listeners.delete(fn);
  }

  changed() {
    if (this.#scheduled) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      for (const fn of [...this.#listeners]) fn();
    });
  }

  set(fields) {
    Object.assign(this, fields);
    this.changed();
  }

  putChat(chat) {
    this.chats.set(chat.id, { ...this.chats.get(chat.id), ...chat });
    this.changed();
  }

  removeChat(id) {
    this.chats.delete(id);
    this.timelines.delete(id);
    this.members.delete(id);
    this.changed();
  }

  timeline(id) {
    if (!this.timelines.has(id)) this.timelines.set(id, new Timeline());
    return this.timelines.get(id);
  }

  /** sorted lists the chats by last activity, newest first. */
  sorted() {
    const at = (c) => this.sending.findLast((s) => s.chatId === c.id)?.createdAt ?? c.lastMessageAt ?? c.createdAt;
    return [...this.chats.values()].sort((a, b) => (at(a) < at(b) ? 1 : -1));
  }

  get unread() {
    let n = 0;
    for (const c of this.chats.values()) n += c.unreadCount || 0;
    return n;
  }

  /** role is one's own role in a group, once its members are known. */
  role(chatId) {
    return this.members.get(chatId)?.find((m) => m.user.id === this.me.id)?.role;
  }

  /** status of one's own message: the server's word, moved on by receipts that came since. */
  status(chat, message) {
    if (message.local) return message.local;
    if (chat.kind === 'group') return message.status ?? 'sent';
    const mark = this.timelines.get(chat.id)?.marks.get(chat.peer?.id);
    if (message.status === 'read' || mark?.readSeq >= message.seq) return 'read';
    return message.status === 'delivered' || mark?.deliveredSeq >= message.seq ? 'delivered' : 'sent';
  }
}
