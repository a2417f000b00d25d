// Small helpers around the DOM. Text always becomes text nodes, so nothing a user writes is ever parsed as markup.

import { paths } from './icons.js';

/**
 * h('button.primary', { testid: 'send', onclick: f }, 'Send') makes an element.
 * Props starting with "on" are listeners, `testid` is data-testid, true/false set or leave out an attribute.
 * Children may be nodes, text, nested arrays, or null and false for nothing.
 */
export function h(spec, props, ...children) {
  const [tag, ...classes] = spec.split('.');
  const el = document.createElement(tag || 'div');
  if (classes.length) el.className = classes.join(' ');
  for (const [name, value] of Object.entries(props ?? {})) {
    if (value === false || value == null) continue;
    if (name.startsWith('on')) el.addEventListener(name.slice(2), value);
    else if (name === 'testid') el.dataset.testid = value;
    else if (name === 'value' || name === 'checked') el[name] = value;
    else el.setAttribute(name, value === true ? '' : value);
  }
  el.append(...children.flat(Infinity).filter((c) => c != null && c !== false));
  return el;
}

/** icon draws one of our own line icons; it is decoration, the control around it carries the label. */
export function icon(name, className = '') {
  const ns = 'http://www.w3.org/2000/svg';
  const svg = document.createElementNS(ns, 'svg');
  for (const [k, v] of Object.entries({ viewBox: '0 0 24 24', class: `icon ${className}`.trim(), 'aria-hidden': 'true', focusable: 'false' })) {
    svg.setAttribute(k, v);
  }
  for (const d of paths[name]) {
    const [shape, fill] = Array.isArray(d) ? d : [d];
    const path = document.createElementNS(ns, 'path');
    path.setAttribute('d', shape);
    if (fill) path.setAttribute('class', fill);
    svg.append(path);
  }
  return svg;
}

/** button is an icon button with a label for those who do not see the icon. */
export function iconButton(name, label, props) {
  return h('button.icon-button', { type: 'button', 'aria-label': label, title: label, ...props }, icon(name));
}

/**
 * keyed makes parent's children mirror rows. A row {key, sig, build} keeps its element while sig is unchanged.
 * Focus inside a rebuilt row goes to the same control (by data-testid) or to the row itself.
 */
export function keyed(parent, rows) {
  const old = new Map([...parent.children].map((el) => [el.rowKey, el]));
  let at = parent.firstElementChild;
  for (const row of rows) {
    let el = old.get(row.key);
    old.delete(row.key);
    if (!el || el.rowSig !== row.sig) {
      const next = Object.assign(row.build(), { rowKey: row.key, rowSig: row.sig });
      if (el) {
        const focused = el.contains(document.activeElement) ? document.activeElement : null;
        if (at === el) at = next;
        el.replaceWith(next);
        if (focused) (next.querySelector(`[data-testid="${focused.dataset.testid}"]`) ?? next).focus();
      }
      el = next;
    }
    if (el === at) at = at.nextElementSibling;
    else parent.insertBefore(el, at);
  }
  for (const el of old.values()) el.remove();
}
