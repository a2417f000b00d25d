// A group's panel: its members, adding and removing them, leaving.

import * as api from '../api.js';
import { h, icon, iconButton } from '../dom.js';
import { avatar, full } from '../format.js';
import { chatTitle, displayName } from '../people.js';
import { confirm, openDialog } from './dialog.js';
import { finder } from './finder.js';
import { toast, failed } from './toasts.js';

const roles = { owner: 'Owner', admin: 'Admin' };

export function groupPanel(app, chatId) {
  const { store } = app;
  const path = `/v1/groups/${encodeURIComponent(chatId)}`;
  const chat = store.chats.get(chatId);
  const title = chatTitle(chat);
  const summary = h('p.person-note');
  const members = h('ul.people', { 'aria-label': 'Members', testid: 'members' });
  const add = h('section', { hidden: true, testid: 'add-members' },
    finder(app, { label: 'Add people by number or username', action: 'Add', pick: (user) => change(() => api.post(`${path}/members`, { userIds: [user.id] }), `${displayName(user)} was added.`) }));
  const dialog = openDialog({
    title: 'Group info', kind: 'sheet', testid: 'group-panel', onclose: () => end(),
    body: [
      h('div.panel-top', null, avatar(chatId, title, 'square', 'huge'), h('p.panel-name', { dir: 'auto' }, title), summary),
      chat.description && h('p.dialog-text', { dir: 'auto' }, chat.description),
      add, h('h3', null, 'Members'), members,
      h('div.dialog-actions', null, h('button.button.danger.quiet-danger', { type: 'button', testid: 'leave-group', onclick: leave }, icon('logout'), 'Leave group')),
    ],
  });

  async function change(work, done) {
    try {
      await work();
      if (done) toast(done);
      store.members.delete(chatId);
      await app.history.members(chatId);
    } catch (err) {
      failed(err);
    }
  }

  async function remove(user) {
    const name = displayName(user);
    const sure = await confirm({ title: `Remove ${name}?`, text: `${name} will no longer see new messages in ${title}.`, action: 'Remove', testid: 'confirm-remove' });
    if (sure) change(() => api.del(`${path}/members/${encodeURIComponent(user.id)}`));
  }

  async function leave() {
    if (!await confirm({ title: 'Leave this group?', text: `You will no longer see ${title} or its messages.`, action: 'Leave', testid: 'confirm-leave' })) return;
    try {
      await api.post(`${path}/leave`);
      await app.sync.refreshChat(chatId);
    } catch (err) {
      failed(err);
    }
  }

  function draw() {
    const now = store.chats.get(chatId);
    if (!now) return dialog.close();
    summary.textContent = `${now.memberCount} ${now.memberCount === 1 ? 'member' : 'members'} · created ${full(now.createdAt)}`;
    const list = store.members.get(chatId);
    if (!list) {
      if (!members.children.length) members.replaceChildren(h('li.skeleton'), h('li.skeleton'));
      return void app.history.members(chatId);
    }
    const role = store.role(chatId);
    const manager = role === 'owner' || role === 'admin';
    add.hidden = !manager && now.settings?.whoMayAdd !== 'all';
    members.replaceChildren(...list.map(({ user, role: theirs }) => h('li.person', { testid: 'member', 'data-user-id': user.id },
      avatar(user.id, displayName(user)),
      h('span.person-text', null,
        h('span.person-name', { dir: 'auto' }, displayName(user), user.id === store.me.id && ' (you)'),
        user.username && h('span.person-note', null, `@${user.username}`)),
      roles[theirs] && h('span.role', null, roles[theirs]),
      manager && user.id !== store.me.id && theirs !== 'owner' && iconButton('close', `Remove ${displayName(user)}`, { testid: 'remove-member', onclick: () => remove(user) }))));
  }

  const end = store.subscribe(draw);
  draw();
}
