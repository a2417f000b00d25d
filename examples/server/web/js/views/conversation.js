// One conversation: header, messages, composer. Keeps the place while older pages come, follows new messages at the
// bottom, and reports as read only what was really on screen.

import { h, icon, iconButton, keyed } from '../dom.js';
import { avatar } from '../format.js';
import { closeChat } from '../nav.js';
import { chatTitle } from '../people.js';
import { composer } from './composer.js';
import { groupPanel } from './group.js';
import { rows } from './rows.js';

const nearBottom = 60; // px that still count as the bottom
const nearTop = 400; // px from the top at which the next page is fetched

export function conversation(app, chatId) {
  const { store, history, receipts } = app;
  const timeline = () => store.timeline(chatId);
  let stick = true;
  let placed = false; // the first scroll position has been chosen
  let newest = 0;

  const head = h('header.chat-head');
  const list = h('ol.messages', { testid: 'messages', onkeydown: arrows, onfocusin: rove });
  const note = h('div.chat-note');
  const scroller = h('div.scroller', { role: 'region', tabindex: 0, onscroll: scrolled }, note, list);
  const jump = h('button.jump', { type: 'button', hidden: true, testid: 'jump', onclick: toBottom }, icon('down'), h('span.jump-text'));
  const write = composer(app, chatId);
  const el = h('div.conversation', { testid: 'conversation' }, head, h('div.scroll-area', null, scroller, jump), write.el);
  const resized = new ResizeObserver(() => { if (stick) toBottom(); });

  function drawHead(chat) {
    const title = chatTitle(chat);
    const group = chat.kind === 'group';
    const sub = group ? `${chat.memberCount} ${chat.memberCount === 1 ? 'member' : 'members'}` : chat.peer?.username ? `@${chat.peer.username}` : '';
    if (head.dataset.drawn === `${title}\n${sub}`) return;
    head.dataset.drawn = `${title}\n${sub}`;
    scroller.setAttribute('aria-label', `Messages with ${title}`);
    const name = [avatar(chat.peer?.id ?? chat.id, title, group ? 'square' : 'round'),
      h('span.chat-head-text', null, h('h2.chat-name', { dir: 'auto', testid: 'chat-name' }, title), sub && h('span.chat-sub', null, sub))];
    head.replaceChildren(
      iconButton('back', 'Back to chats', { class: 'icon-button back', testid: 'back', onclick: closeChat }),
      group ? h('button.chat-person', { type: 'button', 'aria-label': `${title}, group info`, testid: 'group-info', onclick: () => groupPanel(app, chatId) }, name) : h('div.chat-person', null, name),
      ...(group ? [iconButton('info', 'Group info', { onclick: () => groupPanel(app, chatId) })] : []));
  }

  function drawNote(chat, t) {
    const kind = t.state === 'failed' ? 'failed' : t.state !== 'ready' ? 'loading' : t.hasOlder ? 'older' : !t.messages.length && !store.sending.some((m) => m.chatId === chatId) ? 'empty' : 'start';
    if (note.dataset.kind === kind) return;
    note.dataset.kind = kind;
    const title = chatTitle(chat);
    note.replaceChildren(...{
      failed: () => [h('p', null, 'The messages could not be loaded.'), h('button.button', { type: 'button', testid: 'reload', onclick: () => history.open(chatId) }, icon('retry'), 'Try again')],
      loading: () => [h('div.bubbles-skeleton', { 'aria-hidden': 'true' }, h('span'), h('span'), h('span')), h('span.visually-hidden', { role: 'status' }, 'Loading messages')],
      older: () => [h('p', null, 'Loading earlier messages…')],
      empty: () => [h('div.welcome-flag.small', { 'aria-hidden': 'true' }, icon('flag')), h('p.chat-note-title', null, chat.kind === 'group' ? `${title} is ready` : `Say hello to ${title}`), h('p', null, 'Messages are stored encrypted.')],
      start: () => [],
    }[kind]());
  }

  function render() {
    const chat = store.chats.get(chatId);
    if (!chat) return;
    const t = timeline();
    drawHead(chat);
    drawNote(chat, t);
    if (t.state !== 'ready') return list.replaceChildren();
    const fromBottom = scroller.scrollHeight - scroller.scrollTop;
    const topKey = list.querySelector('.message')?.rowKey;
    const drawn = rows(app, chat, t, { edit: write.edit });
    keyed(list, drawn);
    if (!list.querySelector('.message[tabindex="0"]')) [...list.querySelectorAll('.message')].at(-1)?.setAttribute('tabindex', 0);
    const key = drawn.at(-1)?.key;
    const grown = key !== newest;
    const mine = grown && list.lastElementChild?.dataset.own === 'true';
    newest = key;
    if (!placed) place();
    else if (stick || mine) toBottom();
    else if (topKey && topKey !== list.querySelector('.message')?.rowKey) scroller.scrollTop = scroller.scrollHeight - fromBottom;
    drawJump(chat);
    read();
  }

  function place() {
    placed = true;
    const divider = list.querySelector('.divider');
    scroller.scrollTop = divider ? divider.offsetTop - 60 : scroller.scrollHeight;
    stick = atBottom();
    scrolled();
  }

  const atBottom = () => scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < nearBottom;

  function toBottom() {
    stick = true;
    scroller.scrollTop = scroller.scrollHeight;
  }

  function scrolled() {
    if (!placed) return;
    stick = atBottom();
    if (scroller.scrollTop < nearTop) history.older(chatId);
    const chat = store.chats.get(chatId);
    if (chat) drawJump(chat);
    read();
  }

  function drawJump(chat) {
    jump.hidden = stick;
    const n = chat.unreadCount || 0;
    jump.lastElementChild.textContent = n ? `${n} new` : '';
    jump.setAttribute('aria-label', n ? `${n} new messages, go to the newest` : 'Go to the newest message');
  }

  // Read is what somebody could see: tab visible, window focused, scrolled to the end.
  function read() {
    const t = timeline();
    if (t.state !== 'ready' || !stick || document.visibilityState !== 'visible' || !document.hasFocus()) return;
    const last = t.messages.findLast((m) => m.senderId !== store.me.id);
    if (!last) return;
    receipts.read(chatId, t.last);
    t.seen = true;
    const chat = store.chats.get(chatId);
    if (chat?.unreadCount) store.putChat({ id: chatId, unreadCount: 0 });
  }

  // One message is in the tab order; the arrows move among the others.
  function rove(e) {
    const message = e.target.closest('.message');
    if (!message) return;
    list.querySelector('.message[tabindex="0"]')?.setAttribute('tabindex', -1);
    message.setAttribute('tabindex', 0);
  }

  function arrows(e) {
    const all = [...list.querySelectorAll('.message')];
    const at = all.indexOf(e.target);
    const to = { ArrowUp: at - 1, ArrowDown: at + 1, Home: 0, End: all.length - 1 }[e.key];
    if (at < 0 || to === undefined) return;
    e.preventDefault();
    if (to >= all.length) write.focus();
    else all[Math.max(0, to)].focus();
  }

  const end = store.subscribe(render);
  addEventListener('focus', read);
  document.addEventListener('visibilitychange', read);
  return {
    id: chatId,
    el,
    /** shown is called once el stands in the page. */
    shown() {
      const t = timeline();
      const { unreadCount } = store.chats.get(chatId);
      if (t.state === 'ready' && unreadCount) t.placeDivider(unreadCount, store.me.id);
      history.open(chatId);
      render();
      resized.observe(scroller);
      resized.observe(list);
      write.shown();
    },
    stop() {
      end();
      removeEventListener('focus', read);
      document.removeEventListener('visibilitychange', read);
      resized.disconnect();
      const t = store.timelines.get(chatId);
      if (t) t.divider = null;
    },
  };
}
