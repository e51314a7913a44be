// Light or dark: as the system has it, until the reader says otherwise. Runs before anything is painted, so no module.

(() => {
  const KEY = "streampy.theme";
  const system = matchMedia("(prefers-color-scheme: light)");
  const chosen = () => {
    try { return localStorage.getItem(KEY); } catch { return null; }
  };
  const apply = () => { document.documentElement.dataset.theme = chosen() ?? (system.matches ? "light" : "dark"); };
  system.addEventListener("change", apply);
  addEventListener("storage", apply);
  addEventListener("streampy-theme", () => {
    const next = document.documentElement.dataset.theme === "light" ? "dark" : "light";
    document.documentElement.dataset.theme = next;
    try { localStorage.setItem(KEY, next); } catch { /* it holds until the page is left */ }
  });
  apply();
})();
