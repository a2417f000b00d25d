// Tells the server what arrived and what was read, as watermarks. Calls for one chat are merged, and frames are
// paced to stay well under the server's limit of 20 a second even when a hundred chats have news.

export class Receipts {
  #due = { delivered: new Map(), read: new Map() }; // chat id → highest sequence not yet told
  #told = { delivered: new Map(), read: new Map() };
  #timer = 0;

  constructor(socket) {
    this.socket = socket;
  }

  delivered(chatId, upTo) { this.#add('delivered', chatId, upTo); }

  read(chatId, upTo) { this.#add('read', chatId, upTo); }

  /** forget is for a new epoch, where sequences may start lower. */
  forget() { for (const map of Object.values(this.#told)) map.clear(); }

  #add(kind, chatId, upTo) {
    if (upTo <= (this.#told[kind].get(chatId) ?? 0) || upTo <= (this.#due[kind].get(chatId) ?? 0)) return;
    this.#due[kind].set(chatId, upTo);
    this.flush();
  }

  /** flush sends at once, then at most one frame a chat and kind, and eight in all, each second. */
  flush() {
    if (this.#timer) return;
    let room = 8;
    for (const kind of ['read', 'delivered']) {
      for (const [chatId, upTo] of this.#due[kind]) {
        if (room-- <= 0) break;
        this.#due[kind].delete(chatId);
        // What is read has been delivered.
        if (kind === 'delivered' && upTo <= (this.#told.read.get(chatId) ?? 0)) continue;
        this.#told[kind].set(chatId, upTo);
        this.socket.request(kind, { chatId, upTo }).catch((err) => {
          if (!err.temporary) return;
          if (this.#told[kind].get(chatId) === upTo) this.#told[kind].delete(chatId);
          if (!(this.#due[kind].get(chatId) > upTo)) this.#due[kind].set(chatId, upTo); // told again after the next hello
        });
      }
    }
    if (room < 8) {
      this.#timer = setTimeout(() => {
        this.#timer = 0;
        if (this.#due.read.size || this.#due.delivered.size) this.flush();
      }, 1000);
    }
  }
}
