// Short notices at the edge of the screen, and words for screen readers.

import { h } from '../dom.js';

/** toast shows a notice for a few seconds, inside the open dialog if there is one: what lies outside it is inert. */
export function toast(text) {
  const host = [...document.querySelectorAll('dialog[open]')].at(-1) ?? document.body;
  let box = host.querySelector(':scope > .toasts');
  if (!box) host.append(box = h('div.toasts', { role: 'status', 'aria-live': 'polite' }));
  const el = h('div.toast', { testid: 'toast' }, text);
  box.append(el);
  if (box.children.length > 3) box.firstElementChild.remove();
  setTimeout(() => el.remove(), 5000);
}

/** failed shows an error that belongs to no field. */
export const failed = (err) => toast(err.message);

/** announce lets a screen reader say something that others see. */
export function announce(text) {
  const box = document.getElementById('announcer');
  box.append(h('p', null, text));
  while (box.children.length > 5) box.firstElementChild.remove();
}
