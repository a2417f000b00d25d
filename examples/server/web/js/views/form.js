// A labelled field with its hint and its error, and a form that shows where it is busy and what went wrong.

import { h } from '../dom.js';

let count = 0;

/** field gives {el, input, fail(text)}. props go to the input; multiline makes a textarea. */
export function field({ label, hint, multiline, ...props }) {
  const id = `field-${++count}`;
  const input = h(multiline ? 'textarea.input' : 'input.input', { id, 'aria-describedby': `${id}-note`, ...props });
  const note = h('p.field-note', { id: `${id}-note` }, hint ?? '');
  const fail = (text) => {
    note.textContent = text || (hint ?? '');
    note.classList.toggle('error', Boolean(text));
    if (text) {
      note.setAttribute('role', 'alert');
      input.setAttribute('aria-invalid', 'true');
      input.focus();
    } else {
      note.removeAttribute('role');
      input.removeAttribute('aria-invalid');
    }
  };
  input.addEventListener('input', () => fail(''));
  return { el: h('div.field', null, h('label.label', { for: id }, label), input, note), input, fail };
}

/** busy disables a form's button while work runs; errors go to the field that the server names, else to `otherwise`. */
export async function busy(form, work, fields, otherwise) {
  if (form.getAttribute('aria-busy') === 'true') return;
  const button = form.querySelector('[type=submit]');
  form.setAttribute('aria-busy', 'true');
  button?.setAttribute('disabled', '');
  try {
    await work();
  } catch (err) {
    (fields[err.field]?.fail ?? otherwise)(err.message);
  } finally {
    form.removeAttribute('aria-busy');
    button?.removeAttribute('disabled');
  }
}
