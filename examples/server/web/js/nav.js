// The address says which chat is open (#/c/<id>), so reload and the back button do what people expect.

export const chatHref = (id) => `#/c/${encodeURIComponent(id)}`;
export const openChat = (id) => { location.hash = chatHref(id); };
export const closeChat = () => { location.hash = ''; };

/** wantedChat is the id in the address, or null. */
export function wantedChat() {
  const id = /^#\/c\/(.+)$/.exec(location.hash)?.[1];
  try { return id ? decodeURIComponent(id) : null; } catch { return null; }
}
