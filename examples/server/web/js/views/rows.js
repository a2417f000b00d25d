// Turns a timeline into rows: days, the "new messages" line, comings and goings, messages in runs of one sender.

import { h } from '../dom.js';
import { day } from '../format.js';
import { messageRow } from './message.js';

const runGap = 5 * 60_000; // a pause that starts a new run

export function rows(app, chat, timeline, act) {
  const { store } = app;
  const out = [];
  const entries = [
    ...timeline.messages,
    ...[...timeline.lines.values()].filter((e) => !timeline.hasOlder || e.seq > timeline.first),
  ].sort((a, b) => a.seq - b.seq);
  entries.push(...store.sending.filter((m) => m.chatId === chat.id));
  if (!timeline.hasOlder && chat.kind === 'group') entries.unshift({ type: 'created', seq: 0, at: chat.createdAt });
  let lastDay = '';
  let before = null; // the message above, if it belongs to the same run
  entries.forEach((entry, i) => {
    const today = day(entry.createdAt ?? entry.at);
    if (today !== lastDay) {
      out.push(textRow(`day ${today}`, 'day', today));
      lastDay = today;
      before = null;
    }
    if (timeline.divider !== null && entry.seq === timeline.divider) {
      out.push(textRow('divider', 'divider', 'New messages', 'divider'));
      before = null;
    }
    const line = entry.kind === 'system' ? entry.text : entry.type && describe(app, chat, entry);
    if (entry.type || entry.kind === 'system') {
      if (line) out.push(textRow(`line ${entry.seq}`, 'line', line, 'system-line'));
      before = line ? null : before;
      return;
    }
    const next = entries[i + 1];
    out.push(messageRow(app, chat, entry, {
      first: !sameRun(before, entry),
      last: !sameRun(entry, next) || next.seq === timeline.divider || day(next.createdAt) !== today,
    }, act));
    before = entry;
  });
  return out;
}

function sameRun(a, b) {
  return Boolean(a && b && !b.type && b.kind !== 'system' && a.senderId === b.senderId && new Date(b.createdAt) - new Date(a.createdAt) < runGap);
}

function textRow(key, kind, text, testid) {
  return { key, sig: text, build: () => h(`li.${kind}`, { testid }, h('span', { dir: 'auto' }, text)) };
}

const subject = (app, id) => (id === app.store.me.id ? 'You' : app.people.name(id));
const object = (app, id) => (id === app.store.me.id ? 'you' : app.people.name(id));

function describe(app, chat, e) {
  const by = subject(app, e.byUserId);
  switch (e.type) {
    case 'created':
      return `${subject(app, chat.createdBy)} created this group`;
    case 'member.added':
      if (e.userId === chat.createdBy && e.byUserId === e.userId) return null; // said by the first line
      return e.byUserId && e.byUserId !== e.userId ? `${by} added ${object(app, e.userId)}` : `${subject(app, e.userId)} joined`;
    case 'member.removed':
      return e.reason === 'left' || e.byUserId === e.userId ? `${subject(app, e.userId)} left` : `${by} removed ${object(app, e.userId)}`;
    case 'member.role':
      return `${subject(app, e.userId)} ${e.userId === app.store.me.id ? 'are' : 'is'} now ${{ owner: 'the owner', admin: 'an admin' }[e.role] ?? 'a member'}`;
    case 'chat.updated':
      return e.changed?.title ? `The group is now called “${e.changed.title}”` : null;
  }
  return null;
}
