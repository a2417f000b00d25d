// One message as it is drawn, and what can be done with it.

import * as api from '../api.js';
import { h, icon, iconButton } from '../dom.js';
import { time, full, linked, onlyEmoji, avatar } from '../format.js';
import { openMenu } from './menu.js';
import { confirm } from './dialog.js';
import { messageDetails } from './details.js';
import { toast, failed } from './toasts.js';

const editWindow = 48 * 3600_000; // MSG-7
const labels = { pending: 'Sending', failed: 'Not sent', sent: 'Sent', delivered: 'Delivered', read: 'Read' };
const icons = { pending: 'clock', failed: 'alert', sent: 'tick', delivered: 'ticks', read: 'ticks' };

/** ticks draws a status; shape, colour and a label each tell it alone. */
export function ticks(status) {
  return h(`span.ticks.${status}`, { role: 'img', 'aria-label': labels[status], title: labels[status], testid: 'status' }, icon(icons[status]));
}

/** messageRow is a keyed row. place tells where in a run of one sender it stands: {first, last}. */
export function messageRow(app, chat, m, place, act) {
  const { store } = app;
  const own = m.senderId === store.me.id;
  const status = own && !m.isDeleted ? store.status(chat, m) : null;
  const name = chat.kind === 'group' && !own && place.first ? app.people.name(m.senderId) : null;
  return {
    key: m.clientId ?? m.id,
    sig: JSON.stringify([m.id, m.text, m.isDeleted, m.isEdited, m.error, status, name, place.first, place.last]),
    build: () => {
      const body = m.isDeleted
        ? h('span.text.tombstone', null, icon('trash'), 'This message was deleted')
        : h(`span.text${onlyEmoji(m.text) ? '.emoji' : ''}`, { dir: 'auto', testid: 'message-text' }, linked(m.text));
      const menu = iconButton('down', 'Message actions', { testid: 'message-menu', tabindex: -1, 'aria-haspopup': 'menu', class: 'icon-button message-menu' });
      const el = h(`li.message${own ? '.own' : ''}${place.first ? '.first' : ''}${place.last ? '.last' : ''}`, {
        tabindex: -1, testid: 'message', 'data-status': status, 'data-seq': m.seq, 'data-message-id': m.id, 'data-own': own,
        onkeydown: (e) => {
          if (e.target !== el || !['Enter', 'ContextMenu'].includes(e.key) && !(e.key === 'F10' && e.shiftKey)) return;
          e.preventDefault();
          show(menu);
        },
        oncontextmenu: (e) => {
          if (getSelection().toString() || e.target.closest('a')) return;
          e.preventDefault();
          show(menu);
        },
      },
      chat.kind === 'group' && !own && (place.last ? avatar(m.senderId, app.people.name(m.senderId), 'round', 'tiny') : h('span.avatar-gap')),
      h('div.bubble', null,
        name && h('span.sender', { dir: 'auto' }, name),
        body,
        h('span.meta', null,
          m.isEdited && !m.isDeleted && h('span', { testid: 'edited' }, 'edited'),
          h('time', { datetime: m.createdAt, title: full(m.createdAt) }, time(m.createdAt)),
          status && ticks(status))),
      m.local === 'failed' ? failure(app, m) : !m.local && menu);
      const show = (anchor) => openMenu(anchor, 'Message actions', actions(app, chat, m, own, act), () => focusMessage(m.id));
      menu.addEventListener('click', () => show(menu));
      return el;
    },
  };
}

function focusMessage(id) {
  document.querySelector(`[data-message-id="${CSS.escape(id)}"]`)?.focus({ preventScroll: true });
}

function failure(app, m) {
  return h('div.failure', { role: 'alert', testid: 'failure' },
    h('span', null, m.error),
    h('button.link', { type: 'button', testid: 'retry', onclick: () => app.outbox.retry(m.clientId) }, 'Try again'),
    h('button.link', { type: 'button', testid: 'discard', onclick: () => app.outbox.discard(m.clientId) }, 'Discard'));
}

/** canEdit follows the server's rule: one's own text, within 48 hours of sending. */
export function canEdit(m, me) {
  return m.senderId === me && !m.local && !m.isDeleted && m.kind === 'text' && Date.now() - new Date(m.createdAt) < editWindow;
}

function actions(app, chat, m, own, act) {
  const path = `/v1/chats/${encodeURIComponent(chat.id)}/messages/${encodeURIComponent(m.id)}`;
  const remove = async (scope) => {
    try {
      await api.del(`${path}?for=${scope}`);
      app.store.timelines.get(chat.id)?.remove(m.id, scope === 'everyone');
      if (scope === 'me') app.sync.refreshChat(chat.id);
      app.store.changed();
    } catch (err) {
      failed(err);
    }
  };
  const manager = chat.kind === 'group' && ['owner', 'admin'].includes(app.store.role(chat.id));
  return [
    canEdit(m, app.store.me.id) && { label: 'Edit', icon: 'edit', testid: 'edit', action: () => act.edit(m) },
    !m.isDeleted && { label: 'Copy text', icon: 'copy', testid: 'copy', action: () => copy(m.text) },
    own && !m.isDeleted && { label: 'Details', icon: 'info', testid: 'details', action: () => messageDetails(app, chat, m, path) },
    { label: 'Delete for me', icon: 'hide', testid: 'delete-me', action: () => remove('me') },
    (own || manager) && !m.isDeleted && {
      label: 'Delete for everyone', icon: 'trash', testid: 'delete-everyone', danger: true,
      action: async () => {
        if (await confirm({ title: 'Delete for everyone?', text: 'The message disappears for all who can see this chat. This cannot be undone.', action: 'Delete', testid: 'confirm-delete' })) remove('everyone');
      },
    },
  ].filter(Boolean);
}

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    toast('Copied');
  } catch {
    toast('Your browser does not allow copying here.');
  }
}
