// Keeps the store equal to the server: hello, events, the gap rule, catching up.
// The cursor {epoch, userSeq, chats: {id: seq}} is the last thing applied of each sequence. One rule for all of them:
// apply last+1, ignore what is older, and when something newer comes ask the server for what lies between.

import * as api from './api.js';

const drawnAsLine = new Set(['member.added', 'member.removed', 'member.role', 'chat.updated']);

export class Sync {
  cursor = { epoch: null, userSeq: 0, chats: {} };
  #versions = {}; // chat id → receipt version
  #held = null; // events that came while the list was being read
  #unknown = new Map(); // chat id → its events, while the chat itself is being read
  #soon = new Map(); // chat id → timer
  #dirty = new Set();
  #running = null;
  #again = false;

  /** on: {delivered(chatId, seq), arrived(chat, message), left(chat, reason), revoked(sessionId), reset()} */
  constructor(store, socket, on) {
    Object.assign(this, { store, socket, on });
  }

  /** hello is the server's state at the moment of connecting; events follow it without a hole. */
  async hello(frame) {
    if (frame.epoch !== this.cursor.epoch) return this.reload(frame);
    for (const [id, head] of Object.entries(frame.heads)) {
      const own = this.cursor.chats[id];
      if (own === undefined) this.#open(id);
      else if (own !== head || this.#versions[id] !== frame.receiptVersions?.[id]) this.#dirty.add(id);
    }
    for (const id of this.store.chats.keys()) if (!(id in frame.heads)) this.refreshChat(id);
    if (this.#dirty.size || frame.userSeq !== this.cursor.userSeq) {
      await this.catchUp();
      await this.#loadChats(); // unread counts are told as they change, not kept in a sequence
    }
  }

  /** reload forgets everything and reads it anew: at the first hello, at another epoch, and when the server says reset. */
  async reload({ epoch, userSeq, receiptVersions = {} }) {
    this.cursor = { epoch, userSeq, chats: {} };
    this.#versions = { ...receiptVersions };
    this.#dirty.clear();
    this.#held = [];
    this.store.timelines.clear();
    await this.#loadChats(true);
    const held = this.#held;
    this.#held = null;
    this.receive(held);
    this.on.reset();
  }

  async #loadChats(drop = false) {
    let chats;
    try {
      chats = await api.all('/v1/chats');
    } catch (err) {
      if (err.status === 401) return;
      await new Promise((resolve) => { setTimeout(resolve, 2000); });
      return this.#loadChats(drop);
    }
    if (drop) this.store.chats.clear();
    for (const chat of chats) this.adopt(chat);
    this.store.set({ loaded: true });
  }

  /** adopt takes a Chat from an answer; its head counts as applied if we knew nothing of the chat. */
  adopt(chat) {
    this.cursor.chats[chat.id] ??= chat.headSeq;
    this.store.putChat(chat);
    if (chat.unreadCount > 0) this.on.delivered(chat.id, chat.headSeq);
  }

  /** refreshChat reads one chat again; one that is no longer ours disappears. */
  async refreshChat(id) {
    try {
      this.adopt(await api.get(`/v1/chats/${encodeURIComponent(id)}`));
    } catch (err) {
      if (err.status === 404) this.#forget(id);
    }
  }

  // Many members may come at once; their number is read once for all of them.
  #refreshSoon(id) {
    clearTimeout(this.#soon.get(id));
    this.#soon.set(id, setTimeout(() => this.#soon.delete(id) && this.refreshChat(id), 200));
  }

  #forget(id) {
    delete this.cursor.chats[id];
    this.#dirty.delete(id);
    this.store.removeChat(id);
  }

  async #open(id, event) {
    if (this.#unknown.has(id)) return void (event && this.#unknown.get(id).push(event));
    this.#unknown.set(id, event ? [event] : []);
    await this.refreshChat(id);
    const events = this.#unknown.get(id);
    this.#unknown.delete(id);
    if (this.store.chats.has(id)) this.receive(events);
  }

  receive(events) {
    if (this.#held) return void this.#held.push(...events);
    for (const event of events) this.#take(event);
    this.store.changed();
  }

  // fetched events are the server's answer to "what lies between", so what is not among them is not for us to see.
  #take(event, fetched = false) {
    const { chatId, seq, userSeq } = event;
    if (seq != null) {
      const last = this.cursor.chats[chatId];
      if (last === undefined) return void this.#open(chatId, event);
      if (seq <= last) return;
      if (seq > last + 1 && !fetched) {
        this.#dirty.add(chatId);
        return void this.catchUp();
      }
      this.cursor.chats[chatId] = seq;
    } else if (userSeq != null) {
      if (userSeq <= this.cursor.userSeq) return;
      if (userSeq > this.cursor.userSeq + 1 && !fetched) return void this.catchUp();
      this.cursor.userSeq = userSeq;
    }
    this.#apply(event);
  }

  /** catchUp fetches what is missing; calls while it runs make one more round. */
  catchUp() {
    if (this.#running) { this.#again = true; return this.#running; }
    this.#running = this.#rounds().catch((err) => {
      if (err.status && err.temporary) setTimeout(() => this.catchUp(), 2000); // without a connection the next hello does it
    }).finally(() => {
      this.#running = null;
      this.store.changed();
    });
    return this.#running;
  }

  async #rounds() {
    do {
      this.#again = false;
      const asked = [...this.#dirty];
      this.#dirty.clear();
      const chats = Object.fromEntries(asked.filter((id) => id in this.cursor.chats).map((id) => [id, this.cursor.chats[id]]));
      const answer = await this.socket.request('sync', { epoch: this.cursor.epoch, userSeq: this.cursor.userSeq, chats })
        .catch((err) => { asked.forEach((id) => this.#dirty.add(id)); throw err; });
      if (answer.reset) return this.reload({ epoch: answer.epoch, userSeq: answer.user?.head ?? 0 });
      if (answer.user?.tooLong) {
        this.cursor.userSeq = answer.user.head;
        await this.#loadChats();
      }
      const own = answer.user?.events ?? [];
      own.forEach((e) => this.#take(e, true));
      if (!own.length && answer.user) this.cursor.userSeq = Math.max(this.cursor.userSeq, answer.user.head);
      for (const chat of answer.chats) this.#absorb(chat);
      if (answer.more) this.#again = true;
    } while (this.#again || this.#dirty.size);
  }

  #absorb({ id, events = [], head, tooLong, snapshot, receiptVersion, receipts = [] }) {
    const timeline = this.store.timelines.get(id);
    if (tooLong && snapshot) {
      this.cursor.chats[id] = snapshot.chat.headSeq;
      this.store.timelines.delete(id);
      this.store.members.delete(id);
      this.adopt(snapshot.chat);
      this.on.reset(id);
    }
    events.forEach((e) => this.#take(e, true));
    if (!events.length && this.cursor.chats[id] < head) this.cursor.chats[id] = head;
    if (this.cursor.chats[id] < head) this.#dirty.add(id); // the rest comes with the next round
    if (receiptVersion !== undefined) this.#versions[id] = receiptVersion;
    receipts.forEach((r) => timeline?.receipt(r));
    if (timeline?.state === 'ready' && this.store.chats.get(id)?.kind === 'group') this.on.groupReceipts(id);
  }

  #apply(event) {
    const { store } = this;
    const { type, chatId } = event;
    const chat = store.chats.get(chatId);
    const timeline = store.timelines.get(chatId);
    if (drawnAsLine.has(type)) timeline?.lines.set(event.seq, event);
    switch (type) {
      case 'message.created':
        timeline?.put(event.message);
        if (chat && event.message.seq > (chat.lastMessage?.seq ?? 0)) {
          store.putChat({ id: chatId, lastMessage: event.message, lastMessageAt: event.message.createdAt });
        }
        if (event.message.senderId !== store.me.id) this.on.delivered(chatId, event.seq);
        this.on.arrived(chat, event.message);
        break;
      case 'message.edited':
        timeline?.edit(event.message);
        if (chat?.lastMessage?.id === event.message.id) store.putChat({ id: chatId, lastMessage: { ...chat.lastMessage, ...event.message } });
        break;
      case 'message.deleted':
        timeline?.remove(event.messageId, event.forEveryone);
        if (chat?.lastMessage?.id !== event.messageId) break;
        if (event.forEveryone) store.putChat({ id: chatId, lastMessage: { ...chat.lastMessage, text: '', isDeleted: true } });
        else this.refreshChat(chatId);
        break;
      case 'receipt':
        if (event.version !== undefined) this.#versions[chatId] = event.version;
        if (!chat) break;
        store.timeline(chatId).receipt(event);
        if (chat.kind !== 'group' || event.userId === store.me.id) break;
        if (timeline?.state === 'ready') this.on.groupReceipts(chatId);
        else if (chat.lastMessage?.senderId === store.me.id) this.#refreshSoon(chatId); // its ticks stand in the list
        break;
      case 'unread':
        if (chat) store.putChat({ id: chatId, unreadCount: event.unreadCount });
        break;
      case 'member.added':
      case 'member.removed':
      case 'member.role':
        store.members.delete(chatId);
        if (type === 'member.removed' && event.userId === store.me.id) this.#left(chat, event.reason);
        else this.#refreshSoon(chatId);
        break;
      case 'chat.updated':
        if (chat) store.putChat({ ...event.changed, id: chatId });
        break;
      case 'chat.joined':
        if (event.chat) this.adopt(event.chat);
        else this.#open(chatId);
        break;
      case 'chat.left':
        this.#left(chat);
        break;
      case 'session.revoked':
        this.on.revoked(event.sessionId);
        break;
    }
  }

  #left(chat, reason) {
    if (!chat) return;
    this.#forget(chat.id);
    this.on.left(chat, reason);
  }

  /** watch reads what opening a chat needs beside its messages: everyone's marks, and member events since `from`. */
  async watch(id, from) {
    const { epoch, userSeq } = this.cursor;
    const answer = await api.post('/v1/sync', { epoch, userSeq, chats: { [id]: from }, limit: 1000 });
    const timeline = this.store.timelines.get(id);
    const part = answer.chats?.find((c) => c.id === id);
    if (!timeline || !part) return;
    for (const e of part.events ?? []) if (drawnAsLine.has(e.type)) timeline.lines.set(e.seq, e);
    part.receipts?.forEach((r) => timeline.receipt(r));
    if (part.receiptVersion !== undefined) this.#versions[id] = part.receiptVersion;
    this.store.changed();
  }
}
