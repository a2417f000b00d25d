// Makes a group: a name, and people from one's chats or found by number or username.

import * as api from '../api.js';
import { h, icon } from '../dom.js';
import { avatar } from '../format.js';
import { openChat } from '../nav.js';
import { displayName } from '../people.js';
import { openDialog } from './dialog.js';
import { finder } from './finder.js';
import { field, busy } from './form.js';

export function newGroup(app) {
  const chosen = new Map(); // user id → User
  const known = new Map(app.store.sorted().filter((c) => c.kind === 'direct' && c.peer).map((c) => [c.peer.id, c.peer]));
  const name = field({ label: 'Group name', maxlength: 100, autocomplete: 'off', testid: 'group-name' });
  const people = h('ul.people');
  const count = h('p.field-note', { role: 'status' });
  const error = h('p.field-note.error', { role: 'alert' });
  const form = h('form', {
    novalidate: true, id: 'new-group-form',
    onsubmit: (e) => {
      e.preventDefault();
      error.textContent = '';
      const title = name.input.value.trim();
      if (!title) return name.fail('Give the group a name.');
      busy(form, async () => {
        const chat = await api.post('/v1/groups', { name: title, memberIds: [...chosen.keys()] });
        app.sync.adopt(chat);
        dialog.close();
        openChat(chat.id);
      }, { name }, (text) => { error.textContent = text; });
    },
  }, name.el);

  function draw() {
    people.replaceChildren(...[...known.values()].map((user) => h('li', null, h('label.person.choice', null,
      avatar(user.id, displayName(user)),
      h('span.person-text', null, h('span.person-name', { dir: 'auto' }, displayName(user)), user.username && h('span.person-note', null, `@${user.username}`)),
      h('input.check', {
        type: 'checkbox', checked: chosen.has(user.id), testid: 'member-check', 'data-user-id': user.id,
        onchange: (e) => { if (e.target.checked) chosen.set(user.id, user); else chosen.delete(user.id); sum(); },
      })))));
    sum();
  }

  function sum() {
    count.textContent = chosen.size === 1 ? '1 person and you' : chosen.size ? `${chosen.size} people and you` : 'Only you so far; you can add people later.';
  }

  draw();
  const dialog = openDialog({
    title: 'New group',
    testid: 'new-group-dialog',
    body: [form, h('h3', null, 'Members'), people,
      finder(app, { label: 'Add by phone number or username', action: 'Add', pick: (user) => { known.set(user.id, user); chosen.set(user.id, user); draw(); } }),
      count, error,
      h('div.dialog-actions', null, h('button.button.primary', { type: 'submit', form: 'new-group-form', testid: 'create-group' }, icon('group'), 'Create group'))],
  });
}
