// Starts the client: signed in or not, which parts there are, and who tells whom.

import * as api from './api.js';
import * as session from './session.js';
import { Store } from './store.js';
import { Socket } from './socket.js';
import { Sync } from './sync.js';
import { Outbox } from './outbox.js';
import { Receipts } from './receipts.js';
import { People, chatTitle } from './people.js';
import { History } from './history.js';
import { toast, announce } from './views/toasts.js';
import { signUp, askName } from './views/signup.js';
import { shell } from './views/shell.js';

const root = document.getElementById('app');
let stop = () => {};

function signIn(note) {
  stop();
  stop = () => {};
  session.clear();
  document.title = 'Wigwag';
  root.replaceChildren(signUp(({ user, created }) => (created || !user.displayName ? nameThenStart() : start())));
  if (note) toast(note);
}

function nameThenStart() {
  root.replaceChildren(askName((user) => { session.saveUser(user); start(); }));
}

function start() {
  const store = new Store();
  store.me = session.load().user;
  const people = new People(store);
  const socket = new Socket({
    hello: async (frame) => {
      app.sessionId = frame.sessionId;
      await sync.hello(frame);
      outbox.flush();
      receipts.flush();
    },
    events: (events) => sync.receive(events),
    state: (connection) => store.set({ connection }),
    signedOut: () => signIn('You were signed out.'),
  });
  const outbox = new Outbox(store, socket);
  const receipts = new Receipts(socket);
  const sync = new Sync(store, socket, {
    delivered: (chatId, seq) => receipts.delivered(chatId, seq),
    arrived: (chat, message) => arrived(app, chat, message),
    groupReceipts: (chatId) => history.statuses(chatId),
    left: (chat, reason) => toast(reason === 'removed' ? `You were removed from ${chatTitle(chat)}.` : `You are no longer in ${chatTitle(chat)}.`),
    revoked: (id) => { if (id === app.sessionId) signIn('This session was ended.'); },
    reset: () => {
      receipts.forget();
      if (store.active && store.chats.has(store.active)) history.open(store.active);
    },
  });
  const history = new History(store, sync, people);

  /** What every view is given. */
  const app = { store, people, sync, outbox, receipts, history, signOut };
  const view = shell(app);
  root.replaceChildren(view.el);
  socket.connect();
  api.get('/v1/me').then((me) => { session.saveUser(me); store.set({ me }); }).catch(() => {});
  stop = () => { socket.stop(); view.stop(); };
}

/** A message has come: our own is no longer waiting, someone else's is told to those who listen. */
function arrived({ store, people, outbox }, chat, message) {
  if (message.senderId === store.me.id) return outbox.arrived(message);
  const timeline = store.timelines.get(message.chatId);
  const looking = document.hasFocus() && store.active === message.chatId;
  if (timeline && !looking && (timeline.divider === null || timeline.seen)) {
    timeline.divider = message.seq;
    timeline.seen = false;
  }
  if (message.kind !== 'system') announce(`${people.name(message.senderId)}: ${looking ? message.text : 'new message'}`);
}

async function signOut() {
  await api.post('/v1/auth/logout').catch(() => {});
  sessionStorage.clear();
  location.hash = '';
  signIn();
}

api.onSignedOut(() => { if (session.load() || root.querySelector('.shell')) signIn('You were signed out.'); });
session.onEnd(() => signIn());

const current = session.load();
if (!current) signIn();
else if (!current.user?.displayName) nameThenStart();
else start();
