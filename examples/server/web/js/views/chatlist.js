// The list of chats by last activity.

import { h, icon, iconButton, keyed } from '../dom.js';
import { avatar, short, full } from '../format.js';
import { chatHref } from '../nav.js';
import { chatTitle, displayName } from '../people.js';
import { newChat } from './newchat.js';
import { newGroup } from './newgroup.js';
import { profilePanel } from './profile.js';
import { ticks } from './message.js';

const connections = { connecting: 'Connecting…', offline: 'Waiting for network…' };

export function chatList(app) {
  const { store } = app;
  const items = h('ul.chat-items', { 'aria-label': 'Chats', testid: 'chat-list', onkeydown: arrows });
  const state = h('p.connection', { role: 'status', testid: 'connection' });
  const me = h('button.icon-button.me', { type: 'button', 'aria-label': 'Your profile', title: 'Your profile', testid: 'profile', onclick: () => profilePanel(app) });
  const empty = h('div.list-empty', { testid: 'list-empty' });
  const el = h('nav.pane-list', { 'aria-label': 'Chats' },
    h('header.list-head', null,
      h('h1.brand', null, icon('flag', 'brand-flag'), h('span', null, 'Wigwag')),
      iconButton('group', 'New group', { testid: 'new-group', onclick: () => newGroup(app) }),
      iconButton('compose', 'New chat', { testid: 'new-chat', onclick: () => newChat(app) }), me),
    state, items, empty);

  // "Connecting…" for less than a moment is noise.
  let since = Date.now();
  let timer = 0;

  function connection() {
    clearTimeout(timer);
    if (store.connection === 'online') since = 0;
    else since ||= Date.now();
    const wait = since ? since + 600 - Date.now() : 0;
    if (wait > 0) timer = setTimeout(connection, wait);
    const text = since && wait <= 0 ? connections[store.connection] : '';
    if (state.textContent !== text) state.textContent = text;
    state.dataset.state = store.connection;
  }

  function render() {
    connection();
    const name = displayName(store.me);
    if (me.dataset.name !== name) {
      me.replaceChildren(avatar(store.me.id, name, 'round', 'small'));
      me.dataset.name = name;
    }
    const chats = store.sorted();
    keyed(items, chats.map((chat) => row(app, chat)));
    empty.hidden = chats.length > 0;
    if (empty.dataset.loaded !== String(store.loaded)) {
      empty.dataset.loaded = String(store.loaded);
      empty.replaceChildren(...(store.loaded ? nobody(app) : Array.from({ length: 5 }, () => h('div.skeleton', { 'aria-hidden': 'true' }))));
    }
  }

  const end = store.subscribe(render);
  render();
  return { el, stop: () => { end(); clearTimeout(timer); } };
}

function nobody(app) {
  return [h('div.welcome-flag', { 'aria-hidden': 'true' }, icon('flag')), h('p.list-empty-title', null, 'No chats yet'), h('p', null, 'Find somebody by phone number or username, and say hello.'),
    h('button.button.primary', { type: 'button', onclick: () => newChat(app) }, icon('compose'), 'New chat')];
}

function row(app, chat) {
  const { store } = app;
  const title = chatTitle(chat);
  const waiting = store.sending.findLast((m) => m.chatId === chat.id);
  const last = waiting ?? chat.lastMessage;
  const own = last?.senderId === store.me.id && !last.isDeleted;
  const status = own && store.status(chat, store.timelines.get(chat.id)?.messages.findLast((m) => m.id === last.id) ?? last);
  const at = last?.createdAt ?? chat.createdAt;
  const unread = chat.unreadCount || 0;
  const who = chat.kind === 'group' && last && !own && last.kind !== 'system' ? `${app.people.name(last.senderId).split(' ')[0]}: ` : '';
  const preview = !last ? 'No messages yet' : last.isDeleted ? 'Message deleted' : who + last.text.replace(/\s+/g, ' ').slice(0, 120);
  const active = store.active === chat.id;
  return {
    key: chat.id,
    sig: JSON.stringify([title, preview, status, short(at), unread, active]),
    build: () => h('li', null, h('a.chat-item', {
      href: chatHref(chat.id), 'aria-current': active && 'page', testid: 'chat-item', 'data-chat-id': chat.id,
    },
    avatar(chat.peer?.id ?? chat.id, title, chat.kind === 'group' ? 'square' : 'round'),
    h('span.chat-title', { dir: 'auto' }, title),
    h('time.chat-time', { datetime: at, title: full(at) }, short(at)),
    h(`span.chat-preview${last && !last.isDeleted ? '' : '.quiet'}`, null, status && ticks(status), h('span', { dir: 'auto' }, preview)),
    unread > 0 && h('span.badge', { testid: 'unread' }, unread > 999 ? '999+' : String(unread), h('span.visually-hidden', null, unread === 1 ? ' unread message' : ' unread messages')))),
  };
}

function arrows(e) {
  const step = { ArrowDown: 1, ArrowUp: -1 }[e.key];
  if (!step) return;
  const links = [...e.currentTarget.querySelectorAll('.chat-item')];
  e.preventDefault();
  links[links.indexOf(document.activeElement) + step]?.focus();
}
