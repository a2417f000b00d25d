// How times, names and texts are shown.

import { h } from './dom.js';

const formats = {
  time: new Intl.DateTimeFormat(undefined, { hour: 'numeric', minute: '2-digit' }),
  weekday: new Intl.DateTimeFormat(undefined, { weekday: 'long' }),
  date: new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short', year: 'numeric' }),
  full: new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' }),
};

export const time = (at) => formats.time.format(new Date(at));
export const full = (at) => formats.full.format(new Date(at));

/** day names the day of a time: Today, Yesterday, a weekday, a date. */
export function day(at) {
  const date = new Date(at);
  const days = Math.round((new Date().setHours(0, 0, 0, 0) - new Date(date).setHours(0, 0, 0, 0)) / 86_400_000);
  if (days <= 0) return 'Today';
  if (days === 1) return 'Yesterday';
  return days < 7 ? formats.weekday.format(date) : formats.date.format(date);
}

/** short is for the chat list: the time today, else the day. */
export function short(at) {
  const d = day(at);
  return d === 'Today' ? time(at) : d;
}

/** length counts code points, as the server's limit does. */
export const length = (text) => [...text].length;

export const maxLength = 4096;

/** avatar shows initials on one of eight colours, the same for an id everywhere. Groups are square, people round. */
export function avatar(id, name, shape = 'round', size = '') {
  let hash = 2166136261; // FNV-1a; the high bits choose, because ids made together differ little
  for (const c of String(id)) hash = Math.imul(hash ^ c.codePointAt(0), 16777619) >>> 0;
  const words = name.replace(/[^\p{L}\p{N}\s]/gu, '').trim().split(/\s+/).filter(Boolean);
  const initials = words.length > 1 ? [...words[0]][0] + [...words.at(-1)][0] : [...(words[0] ?? '?')].slice(0, 1).join('');
  return h(`span.avatar.hue-${hash >>> 29}.${shape}${size && `.${size}`}`, { 'aria-hidden': 'true' }, initials.toUpperCase());
}

const url = /https?:\/\/[^\s<>"']+/gi;

/** linked gives a text's pieces with links for what is http or https, and nothing else. */
export function linked(text) {
  const out = [];
  let from = 0;
  for (const match of text.matchAll(url)) {
    const href = match[0].replace(/[.,;:!?)\]}…]+$/, '');
    try { new URL(href); } catch { continue; }
    out.push(text.slice(from, match.index), h('a', { href, target: '_blank', rel: 'noopener noreferrer' }, href));
    from = match.index + href.length;
  }
  out.push(text.slice(from));
  return out;
}

/** onlyEmoji tells texts of one to three emoji, which are drawn large. */
export const onlyEmoji = (text) => /^\s*(?:\p{RGI_Emoji}\s*){1,3}$/v.test(text);
