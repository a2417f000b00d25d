// The messages of one chat that are in memory: a contiguous run up to the newest, ordered by sequence.

const order = [undefined, 'sent', 'delivered', 'read'];

export class Timeline {
  messages = []; // ascending by seq
  lines = new Map(); // seq → event drawn as a line between messages (members coming and going)
  marks = new Map(); // user id → {deliveredSeq, readSeq}
  state = 'empty'; // 'empty' | 'loading' | 'ready' | 'failed'
  hasOlder = true;
  divider = null; // seq of the first message that was new when the chat was opened
  #late = new Map(); // message id → edit that came while the page was on its way
  #gone = new Map(); // message id → 'me' | 'everyone', so that a page read before the deletion cannot bring it back

  get first() { return this.messages[0]?.seq ?? Infinity; }
  get last() { return this.messages.at(-1)?.seq ?? 0; }

  /** put adds a new message at its place, once the run has begun to exist. */
  put(message) {
    if (this.state !== 'empty') this.#merge(message);
  }

  /** edit takes a newer version of a message that is here; one hidden or not yet read stays away. */
  edit(message) {
    if (this.messages.some((m) => m.id === message.id)) this.#merge(message);
    else if (this.state === 'loading') this.#late.set(message.id, message);
  }

  #merge(message) {
    const gone = this.#gone.get(message.id);
    if (gone === 'me') return;
    if (gone) message = { ...message, isDeleted: true, text: '' };
    let i = this.messages.length;
    while (i > 0 && this.messages[i - 1].seq > message.seq) i--;
    const old = this.messages[i - 1];
    if (old?.id !== message.id) return void this.messages.splice(i, 0, message);
    const next = { ...old, ...message };
    if (old.isDeleted || (old.editedAt ?? '') > (message.editedAt ?? '')) {
      for (const field of ['text', 'isDeleted', 'isEdited', 'editedAt']) next[field] = old[field];
    }
    if (next.isDeleted) next.text = '';
    if (order.indexOf(old.status) > order.indexOf(next.status)) next.status = old.status; // never backwards
    this.messages[i - 1] = next;
  }

  /** addPage adds what GET messages answered, the newest page or one before the run. */
  addPage(items, hasOlder) {
    this.hasOlder = hasOlder;
    this.state = 'ready';
    items.forEach((m) => this.#merge(m));
    const late = [...this.#late.values()];
    this.#late.clear();
    late.forEach((m) => this.edit(m));
  }

  remove(id, forEveryone) {
    this.#gone.set(id, forEveryone ? 'everyone' : 'me');
    const i = this.messages.findIndex((m) => m.id === id);
    if (i < 0) return;
    if (forEveryone) this.messages[i] = { ...this.messages[i], text: '', isDeleted: true };
    else this.messages.splice(i, 1);
  }

  receipt({ userId, deliveredSeq = 0, readSeq = 0 }) {
    const old = this.marks.get(userId) ?? { deliveredSeq: 0, readSeq: 0 };
    this.marks.set(userId, { deliveredSeq: Math.max(old.deliveredSeq, deliveredSeq, readSeq), readSeq: Math.max(old.readSeq, readSeq) });
  }

  /** placeDivider marks the first of the newest `unread` messages of others, if the run reaches back to it. */
  placeDivider(unread, me) {
    this.divider = null;
    for (let i = this.messages.length - 1; i >= 0 && unread > 0; i--) {
      const m = this.messages[i];
      if (m.senderId === me || m.kind === 'system' || m.isDeleted) continue;
      this.divider = m.seq;
      unread--;
    }
    if (unread > 0 && this.hasOlder) this.divider = null;
  }
}
