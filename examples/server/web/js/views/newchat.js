// Starts a direct chat with somebody found by number or username.

import * as api from '../api.js';
import { openChat } from '../nav.js';
import { openDialog } from './dialog.js';
import { finder } from './finder.js';
import { failed } from './toasts.js';

export function newChat(app) {
  const dialog = openDialog({
    title: 'New chat',
    testid: 'new-chat-dialog',
    body: finder(app, {
      action: 'Message',
      pick: async (user) => {
        try {
          const chat = await api.post('/v1/chats/direct', { userId: user.id });
          app.sync.adopt(chat);
          dialog.close();
          openChat(chat.id);
        } catch (err) {
          failed(err);
        }
      },
    }),
  });
}
