// One's own profile, appearance, sessions, signing out.

import * as api from '../api.js';
import * as session from '../session.js';
import { h, icon, iconButton } from '../dom.js';
import { avatar, full } from '../format.js';
import { displayName } from '../people.js';
import { openDialog } from './dialog.js';
import { field, busy } from './form.js';
import { toast, failed } from './toasts.js';

export function profilePanel(app) {
  const { store } = app;
  const { me } = store;
  const name = field({ label: 'Name', value: me.displayName ?? '', maxlength: 100, autocomplete: 'name', testid: 'profile-name' });
  const username = field({ label: 'Username', hint: 'People can find you by it. 3 to 50 letters, digits, _ and .', value: me.username ?? '', maxlength: 50, autocomplete: 'off', autocapitalize: 'none', spellcheck: 'false', testid: 'profile-username' });
  const bio = field({ label: 'About you', multiline: true, rows: 3, value: me.bio ?? '', maxlength: 500, testid: 'profile-bio' });
  const form = h('form', {
    novalidate: true,
    onsubmit: (e) => {
      e.preventDefault();
      const now = { displayName: name.input.value.trim(), username: username.input.value.trim().replace(/^@/, ''), bio: bio.input.value };
      if (!now.displayName) return name.fail('Please tell us your name.');
      const changed = Object.fromEntries(Object.entries(now).filter(([k, v]) => v !== (store.me[k] ?? '')));
      if (!Object.keys(changed).length) return toast('Nothing has changed.');
      busy(form, async () => {
        const user = await api.patch('/v1/me', changed);
        session.saveUser(user);
        store.set({ me: user });
        toast('Profile saved.');
      }, { displayName: name, username, bio }, (text) => (('username' in changed) ? username : name).fail(text));
    },
  }, name.el, username.el, bio.el, h('button.button.primary', { type: 'submit', testid: 'profile-save' }, 'Save'));

  const sessions = h('ul.people', { testid: 'sessions', 'aria-label': 'Sessions' }, h('li.skeleton'));
  openDialog({
    title: 'Your profile', kind: 'sheet', testid: 'profile-panel',
    body: [
      h('div.panel-top', null, avatar(me.id, displayName(me), 'round', 'huge'), h('p.panel-name', { dir: 'auto' }, displayName(me)), h('p.person-note', null, me.phoneNumber ?? '')),
      form,
      h('h3', { id: 'theme-title' }, 'Appearance'), themes(),
      h('h3', null, 'Signed in on'), sessions,
      h('a.button.wide', { href: session.anotherAddress(), target: '_blank', rel: 'noopener' }, icon('userPlus'), 'Open another account in a new tab'),
      h('div.dialog-actions', null, h('button.button.danger.quiet-danger', { type: 'button', testid: 'logout', onclick: (e) => { e.target.closest('dialog').close(); app.signOut(); } }, icon('logout'), 'Sign out')),
    ],
  });

  async function drawSessions() {
    try {
      const items = await api.all('/v1/auth/sessions');
      sessions.replaceChildren(...items.map((s) => h('li.person', { testid: 'session' },
        h('span.person-icon', { 'aria-hidden': 'true' }, icon('device')),
        h('span.person-text', null, h('span.person-name', null, agent(s.userAgent)), h('span.person-note', null, s.current ? 'This session' : `${s.ip ?? ''} · ${full(s.lastUsed ?? s.createdAt)}`)),
        !s.current && iconButton('close', `End the session on ${agent(s.userAgent)}`, { testid: 'revoke-session', onclick: () => revoke(s) }))));
    } catch (err) {
      sessions.replaceChildren(h('li.person-note', { role: 'alert' }, err.message));
    }
  }

  async function revoke(s) {
    try {
      await api.del(`/v1/auth/sessions/${encodeURIComponent(s.id)}`);
      toast('The session was ended.');
    } catch (err) {
      failed(err);
    }
    drawSessions();
  }

  drawSessions();
}

function themes() {
  const options = [['auto', 'System', 'auto'], ['light', 'Light', 'sun'], ['dark', 'Dark', 'moon']];
  return h('div.segments', { role: 'radiogroup', 'aria-labelledby': 'theme-title' }, options.map(([value, label, name]) => h('label.segment', null,
    h('input', { type: 'radio', name: 'theme', value, checked: wigwagTheme.get() === value, testid: `theme-${value}`, onchange: () => wigwagTheme.set(value) }),
    h('span', null, icon(name), label))));
}

/** agent names browser and system of a User-Agent header, roughly, for people. */
function agent(text = '') {
  const browser = /(Edg|OPR|Firefox|Chrome|Safari)/.exec(text.replace(/.*(Edg|OPR)\//, '$1/'))?.[1];
  const system = /(Android|iPhone|iPad|Windows|Mac OS X|Linux)/.exec(text)?.[1];
  const names = { Edg: 'Edge', OPR: 'Opera', 'Mac OS X': 'macOS' };
  return [browser, system].filter(Boolean).map((n) => names[n] ?? n).join(' on ') || text.slice(0, 40) || 'Unknown device';
}
