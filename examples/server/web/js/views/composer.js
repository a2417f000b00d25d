// Where messages are written: Enter sends, Shift+Enter breaks the line, ↑ edits the last own message, Escape gives up editing.

import * as api from '../api.js';
import { h, icon, iconButton } from '../dom.js';
import { length, maxLength } from '../format.js';
import { canEdit } from './message.js';
import { failed } from './toasts.js';

const drafts = new Map(); // chat id → text, for this page

export function composer(app, chatId) {
  const { store } = app;
  let editing = null;

  const input = h('textarea.composer-input', {
    rows: 1, placeholder: 'Write a message', 'aria-label': 'Write a message', dir: 'auto', testid: 'composer', value: drafts.get(chatId) ?? '',
    oninput: changed, onkeydown: keys,
  });
  const count = h('span.composer-count', { testid: 'count' });
  const send = h('button.send', { type: 'submit', 'aria-label': 'Send', title: 'Send', testid: 'send' }, icon('send'));
  const editText = h('span.edit-text', { dir: 'auto' });
  const editBar = h('div.edit-bar', { hidden: true, testid: 'edit-bar' }, icon('edit'),
    h('div', null, h('strong', null, 'Edit message'), editText), iconButton('close', 'Stop editing', { onclick: stopEditing, testid: 'cancel-edit' }));
  const el = h('form.composer', { onsubmit: (e) => { e.preventDefault(); submit(); } },
    editBar, h('div.composer-row', null, h('div.composer-box', null, input, count), send));

  function changed() {
    const n = length(input.value);
    count.textContent = n > maxLength - 200 ? String(maxLength - n) : '';
    count.classList.toggle('error', n > maxLength);
    send.disabled = !input.value.trim() || n > maxLength;
    if (!editing) drafts.set(chatId, input.value);
    input.style.height = 'auto';
    input.style.height = `${input.scrollHeight}px`;
  }

  function keys(e) {
    if (e.key === 'Enter' && !e.shiftKey && !e.isComposing) {
      e.preventDefault();
      submit();
    } else if (e.key === 'Escape' && editing) {
      e.preventDefault();
      stopEditing();
    } else if (e.key === 'ArrowUp' && !input.value && !editing) {
      const last = store.timelines.get(chatId)?.messages.findLast((m) => canEdit(m, store.me.id));
      if (!last) return;
      e.preventDefault();
      edit(last);
    }
  }

  function submit() {
    const text = input.value.toWellFormed();
    if (!text.trim() || length(text) > maxLength) return;
    if (editing) return saveEdit(text);
    set('');
    store.timeline(chatId).divider = null; // who answers has seen it
    app.outbox.send(chatId, text);
    input.focus();
  }

  async function saveEdit(text) {
    const m = editing;
    if (text !== m.text) {
      try {
        const message = await api.patch(`/v1/chats/${encodeURIComponent(chatId)}/messages/${encodeURIComponent(m.id)}`, { text });
        store.timelines.get(chatId)?.edit(message);
        store.changed();
      } catch (err) {
        return failed(err);
      }
    }
    if (editing === m) stopEditing();
  }

  function edit(m) {
    editing = m;
    editText.textContent = m.text;
    editBar.hidden = false;
    el.classList.add('editing');
    send.setAttribute('aria-label', 'Save');
    set(m.text);
    input.focus();
    input.setSelectionRange(m.text.length, m.text.length);
  }

  function stopEditing() {
    editing = null;
    editBar.hidden = true;
    el.classList.remove('editing');
    send.setAttribute('aria-label', 'Send');
    set(drafts.get(chatId) ?? '');
    input.focus();
  }

  function set(text) {
    input.value = text;
    changed();
  }

  /** shown is called once the composer stands in the page. On touch screens focus would raise the keyboard. */
  function shown() {
    changed();
    if (matchMedia('(pointer: fine)').matches) input.focus();
  }

  return { el, edit, shown, focus: () => input.focus() };
}
