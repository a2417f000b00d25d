// A classic script in the head: the chosen theme stands before the first paint. No choice means the system's.
(() => {
  const root = document.documentElement;
  const read = () => {
    try { return localStorage.getItem('wigwag:theme') ?? 'auto'; } catch { return 'auto'; }
  };
  const apply = (theme) => {
    if (theme === 'light' || theme === 'dark') root.dataset.theme = theme;
    else delete root.dataset.theme;
  };
  globalThis.wigwagTheme = {
    get: read,
    set(theme) {
      try { localStorage.setItem('wigwag:theme', theme); } catch { /* private mode: this page only */ }
      apply(theme);
    },
    /** isDark tells what is on screen now, whoever chose it. */
    isDark: () => (root.dataset.theme ?? (matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light')) === 'dark',
  };
  apply(read());
  addEventListener('storage', (e) => e.key === 'wigwag:theme' && apply(read()));
})();
