// The frame around everything after signing in: the list beside the conversation, one of them on narrow screens.

import { h, icon } from '../dom.js';
import { closeChat, wantedChat } from '../nav.js';
import { chatList } from './chatlist.js';
import { conversation } from './conversation.js';
import { newChat } from './newchat.js';

export function shell(app) {
  const { store } = app;
  const main = h('main.pane-chat', { 'aria-label': 'Conversation' });
  const list = chatList(app);
  const el = h('div.shell', null, list.el, main);
  let open = null; // the conversation on screen
  let drawn = '';

  function route() {
    const wanted = wantedChat();
    el.dataset.pane = wanted ? 'chat' : 'list';
    if (store.loaded && wanted && !store.chats.has(wanted)) return closeChat(); // left, or never ours
    const page = !wanted ? 'welcome' : store.loaded ? `chat ${wanted}` : 'loading';
    if (page === drawn) return;
    drawn = page;
    open?.stop();
    open = wanted && store.loaded ? conversation(app, wanted) : null;
    store.active = open?.id ?? null;
    main.replaceChildren(open?.el ?? (wanted ? h('div.loading', { role: 'status' }, 'Loading…') : welcome(app)));
    open?.shown();
    store.changed();
  }

  function render() {
    route();
    const n = store.unread;
    document.title = n ? `(${n}) Wigwag` : 'Wigwag';
  }

  const end = store.subscribe(render);
  addEventListener('hashchange', route);
  render();
  return {
    el,
    stop() {
      end();
      removeEventListener('hashchange', route);
      open?.stop();
      list.stop();
    },
  };
}

function welcome(app) {
  return h('div.welcome', { testid: 'welcome' },
    h('div.welcome-flag', { 'aria-hidden': 'true' }, icon('flag')),
    h('h2', null, 'Pick a conversation'),
    h('p', null, 'Or find somebody by phone number or username.'),
    h('button.button.primary', { type: 'button', onclick: () => newChat(app) }, icon('compose'), 'New chat'));
}
