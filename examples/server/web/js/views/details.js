// Who has received and read a message, and when.

import * as api from '../api.js';
import { h } from '../dom.js';
import { avatar, full } from '../format.js';
import { openDialog } from './dialog.js';

export async function messageDetails(app, chat, m, path) {
  const body = h('div.details', { 'aria-live': 'polite' }, h('p.dialog-text', null, 'Loading…'));
  openDialog({ title: 'Message details', body, testid: 'details-dialog' });
  try {
    const items = (await api.all(`${path}/receipts`)).filter((r) => r.userId !== m.senderId);
    const read = items.filter((r) => r.readAt);
    const delivered = items.filter((r) => r.deliveredAt && !r.readAt);
    const waiting = items.filter((r) => !r.deliveredAt && !r.readAt);
    body.replaceChildren(...[
      h('blockquote.quote', { dir: 'auto' }, m.text.length > 200 ? `${[...m.text].slice(0, 200).join('')}…` : m.text),
      h('p.dialog-text', null, `Sent ${full(m.createdAt)}${m.isEdited && m.editedAt ? `, edited ${full(m.editedAt)}` : ''}`),
      chat.kind === 'group' && h('p.details-sum', { testid: 'read-by' }, `Read by ${read.length} of ${items.length}`),
      section('Read', read, (r) => full(r.readAt)),
      section('Delivered', delivered, (r) => full(r.deliveredAt)),
      section('Not delivered yet', waiting, () => ''),
    ].filter(Boolean));
  } catch (err) {
    body.replaceChildren(h('p.dialog-text.error', { role: 'alert' }, err.message));
  }

  function section(title, list, when) {
    if (!list.length) return null;
    return h('section', null, h('h3', null, title), h('ul.people', null, list.map((r) => h('li.person', null,
      avatar(r.userId, app.people.name(r.userId), 'round', 'small'),
      h('span.person-text', null, h('span.person-name', { dir: 'auto' }, app.people.name(r.userId)), h('span.person-note', null, when(r)))))));
  }
}
