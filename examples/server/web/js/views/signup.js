// Signing up and in: a phone number, the code that was sent to it, and a name the first time.

import * as api from '../api.js';
import * as session from '../session.js';
import { h, icon, iconButton } from '../dom.js';
import { field, busy } from './form.js';

let development; // whether the server shows its outbox; asked once

/** signUp asks for number and code and calls done with the Tokens answer. */
export function signUp(done) {
  const card = h('section.auth-card', { 'aria-live': 'off' });
  const show = (step) => {
    card.replaceChildren(step);
    step.querySelector('input')?.focus();
  };
  const back = (number = '') => show(phoneStep(number, (sent) => show(codeStep(sent, back, done))));
  back();
  return page(card);
}

/** askName is the last step for a new account. */
export function askName(done) {
  const name = field({ label: 'Your name', hint: 'This is what people see when you write to them.', autocomplete: 'name', maxlength: 100, testid: 'name-input' });
  const form = h('form.auth-form', {
    novalidate: true,
    onsubmit: (e) => {
      e.preventDefault();
      const displayName = name.input.value.trim();
      if (!displayName) return name.fail('Please tell us your name.');
      busy(form, async () => done(await api.patch('/v1/me', { displayName })), { displayName: name }, name.fail);
    },
  }, h('h1', null, 'Welcome aboard'), h('p.lead', null, 'One last thing.'), name.el, submit('Start messaging', 'name-submit'));
  const el = page(h('section.auth-card', null, form));
  queueMicrotask(() => name.input.focus());
  return el;
}

function phoneStep(number, sent) {
  const phone = field({
    label: 'Phone number', hint: 'With country code, for example +1 202 555 0123.', type: 'tel', autocomplete: 'tel', inputmode: 'tel',
    value: number, placeholder: '+1 202 555 0123', testid: 'phone-input',
  });
  const form = h('form.auth-form', {
    novalidate: true,
    onsubmit: (e) => {
      e.preventDefault();
      const phoneNumber = phone.input.value.trim();
      if (!phoneNumber) return phone.fail('Please enter your phone number.');
      const region = /^[^+]/.test(phoneNumber) && new Intl.Locale(navigator.language).maximize().region;
      busy(form, async () => sent(await api.open('POST', '/v1/auth/phone/start', { phoneNumber, ...(region && { region }) })), { phoneNumber: phone }, phone.fail);
    },
  }, h('h1', null, 'Sign in to Wigwag'), h('p.lead', null, 'We send a code to your phone. New here? The same step makes your account.'),
  phone.el, submit('Send code', 'phone-submit'));
  return form;
}

function codeStep(sent, back, done) {
  const code = field({ label: 'Six-digit code', autocomplete: 'one-time-code', inputmode: 'numeric', maxlength: 6, pattern: '[0-9]*', placeholder: '••••••', testid: 'code-input' });
  code.input.classList.add('code');
  const hint = h('p.dev-hint', { hidden: true, testid: 'dev-hint' });
  const resend = h('button.link', { type: 'button', testid: 'resend', onclick: again }, 'Send a new code');
  const form = h('form.auth-form', { novalidate: true, onsubmit: (e) => { e.preventDefault(); verify(); } },
    h('h1', null, 'Enter your code'),
    h('p.lead', null, 'Sent to ', h('strong', null, sent.phoneNumber), '. ', h('button.link', { type: 'button', onclick: () => back(sent.phoneNumber) }, 'Change number')),
    code.el, submit('Continue', 'code-submit'), h('p.auth-foot', null, resend), hint);

  code.input.addEventListener('input', () => {
    code.input.value = code.input.value.replace(/\D/g, '').slice(0, 6);
    if (code.input.value.length === 6) verify();
  });

  function verify() {
    if (code.input.value.length !== 6) return code.fail('The code has six digits.');
    busy(form, async () => {
      const tokens = await api.open('POST', '/v1/auth/phone/verify', { sessionId: sent.sessionId, code: code.input.value });
      session.save(tokens);
      done(tokens);
    }, { code }, (text) => { code.input.select(); code.fail(text); });
  }

  async function again() {
    try {
      sent = { ...sent, ...await api.open('POST', '/v1/auth/phone/resend', { sessionId: sent.sessionId }) };
      code.input.value = '';
      code.input.focus();
    } catch (err) {
      code.fail(err.message);
    }
    countDown();
    showCode();
  }

  function countDown() {
    const left = Math.ceil((new Date(sent.resendAfter) - Date.now()) / 1000);
    resend.disabled = left > 0;
    resend.textContent = left > 0 ? `Send a new code in ${Math.floor(left / 60)}:${String(left % 60).padStart(2, '0')}` : 'Send a new code';
    if (left > 0) setTimeout(() => form.isConnected && countDown(), 1000);
  }

  // In development mode nothing leaves by SMS; the server keeps it where we can read it.
  async function showCode() {
    if (development === false) return;
    try {
      const { items } = await api.open('GET', `/dev/outbox?to=${encodeURIComponent(sent.phoneNumber)}`);
      development = true;
      const found = /\b\d{6}\b/.exec(items[0]?.text ?? '')?.[0];
      if (!found) return;
      const fill = () => { code.input.value = found; verify(); };
      hint.replaceChildren('Development mode: your code is ', h('strong', { testid: 'dev-code' }, found), '. ',
        h('button.link', { type: 'button', testid: 'dev-fill', onclick: fill }, 'Fill in'));
      hint.hidden = false;
    } catch (err) {
      if (err.status === 404) development = false;
    }
  }

  queueMicrotask(countDown);
  showCode();
  return form;
}

const submit = (label, testid) => h('button.button.primary.wide', { type: 'submit', testid }, label);

function page(card) {
  const toggle = iconButton('moon', 'Switch between light and dark', {
    class: 'icon-button auth-theme', onclick: () => wigwagTheme.set(wigwagTheme.isDark() ? 'light' : 'dark'),
  });
  return h('div.auth', null,
    h('header.auth-brand', null,
      h('div.brand', null, icon('flag', 'brand-flag'), h('span', null, 'Wigwag')),
      h('div.auth-pitch', null, h('p.auth-claim', null, h('span', null, 'Say it. '), h('span', null, 'See it land.')), h('p', null, 'Messages that arrive at once, in order, and never twice.')),
      h('div.auth-flag', { 'aria-hidden': 'true' }, icon('flag'))),
    h('main.auth-main', null, toggle, card));
}
