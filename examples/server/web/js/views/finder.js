// Finds one person by exact phone number or @username.

import { h, icon } from '../dom.js';
import { avatar } from '../format.js';
import { displayName } from '../people.js';
import { field, busy } from './form.js';

/** finder gives a form that shows whom it finds; pick(user) runs when that person is chosen. */
export function finder(app, { label = 'Phone number or username', action, pick }) {
  const term = field({ label, hint: 'The whole number, or the exact name.', autocomplete: 'off', autocapitalize: 'none', spellcheck: 'false', enterkeyhint: 'search', placeholder: '+1 202 555 0145 or @maria', testid: 'find-input' });
  const result = h('div.find-result', { 'aria-live': 'polite' });
  const clear = () => result.replaceChildren();
  term.input.addEventListener('input', clear);
  const el = h('form.finder', {
    novalidate: true,
    onsubmit: (e) => {
      e.preventDefault();
      if (!term.input.value.trim()) return term.fail('Enter a phone number or a username.');
      busy(el, async () => {
        clear();
        const user = await app.people.find(term.input.value);
        if (!user) return result.replaceChildren(h('p.find-none', { testid: 'find-none' }, 'Nobody can be found by this number or name. Check that it is complete.'));
        if (user.id === app.store.me.id) return result.replaceChildren(h('p.find-none', { testid: 'find-none' }, 'That is you.'));
        result.replaceChildren(h('button.person.choice', {
          type: 'button', testid: 'find-result', onclick: () => { term.input.value = ''; clear(); pick(user); },
        }, avatar(user.id, displayName(user)),
        h('span.person-text', null, h('span.person-name', { dir: 'auto' }, displayName(user)), h('span.person-note', null, user.username ? `@${user.username}` : 'On Wigwag')),
        h('span.choice-action', null, action)));
        result.firstElementChild.focus();
      }, {}, term.fail);
    },
  }, term.el, h('button.button', { type: 'submit', testid: 'find-submit', class: 'button find-button', 'aria-label': 'Find' }, icon('search'), 'Find'), result);
  return el;
}
