// A popup menu: arrow keys, Home, End, Escape, a click elsewhere closes it, focus goes back where it came from.

import { h, icon } from '../dom.js';

/** openMenu shows items {label, icon, testid, danger, action} beside the anchor. */
export function openMenu(anchor, label, items, returnFocus = () => anchor.focus()) {
  let acted = false;
  const menu = h('div.menu', {
    role: 'menu', 'aria-label': label, popover: 'auto', testid: 'menu',
    onkeydown: (e) => {
      const all = [...menu.children];
      const at = all.indexOf(document.activeElement);
      const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: -1 }[e.key];
      if (e.key === 'Tab') menu.hidePopover();
      if (to === undefined) return;
      e.preventDefault();
      all.at(to % all.length).focus();
    },
    ontoggle: (e) => {
      if (e.newState !== 'closed') return;
      menu.remove();
      if (!acted) returnFocus();
    },
  }, items.map((item) => h(`button.menu-item${item.danger ? '.danger' : ''}`, {
    type: 'button', role: 'menuitem', tabindex: -1, testid: item.testid,
    onclick: () => {
      returnFocus();
      acted = true;
      menu.hidePopover();
      item.action();
    },
  }, icon(item.icon), item.label)));
  document.body.append(menu);
  menu.showPopover();
  const a = anchor.getBoundingClientRect();
  const { offsetWidth: w, offsetHeight: height } = menu;
  const below = a.bottom + 4 + height < innerHeight - 8;
  menu.style.left = `${Math.max(8, Math.min(a.left, innerWidth - w - 8))}px`;
  menu.style.top = `${below ? a.bottom + 4 : Math.max(8, a.top - height - 4)}px`;
  menu.firstElementChild.focus();
}
