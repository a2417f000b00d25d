// Tells the server what arrived and what was read, as watermarks: at once when nothing was told of the chat for a
// second, else merged into one frame a second. All together stay well under the server's 20 frames a second,
// even when a hundred chats have news.

const pause = 1000; // ms between two frames of one kind for one chat
const most = 8; // frames within a pause

export class Receipts {
  #due = { delivered: new Map(), read: new Map() }; // chat id → highest sequence not yet told
  #told = { delivered: new Map(), read: new Map() };
  #sent = []; // {key, at} of the frames within the last pause
  #timer = 0;

  constructor(socket) {
    this.socket = socket;
    // Leaving the page must not lose what was read a moment ago.
    addEventListener('pagehide', () => { this.#sent = []; this.flush(); });
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

  /** flush sends what may go now and comes back for the rest. Called again after each reconnect. */
  flush() {
    clearTimeout(this.#timer);
    const now = Date.now();
    this.#sent = this.#sent.filter((s) => now - s.at < pause);
    for (const kind of ['read', 'delivered']) {
      for (const [chatId, upTo] of this.#due[kind]) {
        const key = `${kind} ${chatId}`;
        if (this.#sent.length >= most || this.#sent.some((s) => s.key === key)) continue;
        this.#due[kind].delete(chatId);
        if (kind === 'delivered' && upTo <= (this.#told.read.get(chatId) ?? 0)) continue; // read says it already
        this.#sent.push({ key, at: now });
        this.#tell(kind, chatId, upTo);
      }
    }
    if (this.#due.read.size || this.#due.delivered.size) this.#timer = setTimeout(() => this.flush(), pause / 4);
  }

  async #tell(kind, chatId, upTo) {
    const before = this.#told[kind].get(chatId) ?? 0;
    this.#told[kind].set(chatId, upTo);
    try {
      await this.socket.request(kind, { chatId, upTo });
    } catch (err) {
      if (!err.temporary) return;
      if (this.#told[kind].get(chatId) === upTo) this.#told[kind].set(chatId, before);
      if (!(this.#due[kind].get(chatId) > upTo)) this.#due[kind].set(chatId, upTo);
      if (err.status) setTimeout(() => this.flush(), pause); // without a connection the next hello does it
    }
  }
}
