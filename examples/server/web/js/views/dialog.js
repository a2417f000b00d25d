// Dialogs on the native <dialog>: it keeps focus inside, closes with Escape and gives focus back.

import { h, iconButton } from '../dom.js';

/** openDialog shows body under a title. kind 'sheet' slides in from the side. Gives {el, close}. onclose runs once. */
export function openDialog({ title, body, kind = 'modal', testid, onclose }) {
  const close = () => el.close();
  const el = h(`dialog.dialog.${kind}`, {
    'aria-label': title, testid,
    onclose: () => { el.remove(); onclose?.(); },
    onclick: (e) => { if (e.target === el) close(); }, // the backdrop
  }, h('div.dialog-box', null,
    h('header.dialog-head', null, h('h2', null, title), iconButton('close', 'Close', { onclick: close, testid: 'close-dialog' })),
    h('div.dialog-body', null, body)));
  document.body.append(el);
  el.showModal();
  (el.querySelector('[autofocus]') || (kind === 'modal' && el.querySelector('.dialog-body input')) || el.querySelector('[data-testid=close-dialog]')).focus();
  return { el, close };
}

/** confirm asks before something that cannot be undone; resolves to true or false. */
export function confirm({ title, text, action, testid = 'confirm' }) {
  return new Promise((resolve) => {
    let answer = false;
    const dialog = openDialog({
      title,
      body: [h('p.dialog-text', null, text), h('div.dialog-actions', null,
        h('button.button', { type: 'button', autofocus: true, onclick: () => dialog.close() }, 'Cancel'),
        h('button.button.danger', { type: 'button', testid, onclick: () => { answer = true; dialog.close(); } }, action))],
      onclose: () => resolve(answer),
    });
  });
}
