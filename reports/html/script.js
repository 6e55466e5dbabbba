"use strict";
(() => {
  const root = document.documentElement;
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];

  // Theme: the system's until the reader chooses.
  const toggle = document.querySelector("[data-theme-toggle]");
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : dark.matches);
  const label = () => { toggle.textContent = isDark() ? "Light" : "Dark"; };
  const remembered = () => { try { return localStorage.getItem("theme"); } catch { return null; } };
  const remember = (theme) => { try { localStorage.setItem("theme", theme); } catch { /* a page from a file may have no storage */ } };
  if (["light", "dark"].includes(remembered())) root.dataset.theme = remembered();
  toggle.hidden = false;
  toggle.addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    remember(root.dataset.theme);
    label();
  });
  dark.addEventListener("change", label);
  label();

  // Filter and search, over everything that is marked as an item.
  const form = document.querySelector("[data-filter]");
  const items = all("[data-item]");
  const texts = new Map();
  const text = (item) => {
    if (!texts.has(item)) texts.set(item, item.textContent.toLowerCase());
    return texts.get(item);
  };
  const apply = () => {
    const { verdict, family, words } = Object.fromEntries(new FormData(form));
    const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
    const isFiltered = verdict !== "all" || family !== "" || wanted.length > 0;
    const shown = { findings: 0, requirements: 0 };
    for (const item of items) {
      const fits = (verdict === "all" || item.dataset.verdict === verdict) && (!family || item.dataset.family === family)
        && wanted.every((word) => text(item).includes(word));
      item.hidden = !fits;
      if (fits) shown[item.matches("details") ? "findings" : "requirements"] += 1;
    }
    for (const group of all("[data-group]")) group.hidden = !group.querySelector("[data-item]:not([hidden])");
    for (const others of all("[data-others]")) {
      others.hidden = !others.querySelector("[data-item]:not([hidden])");
      if (isFiltered) others.open = true;
    }
    for (const nothing of all("[data-nothing]")) nothing.hidden = shown.findings > 0;
    form.querySelector("[data-shown]").textContent = isFiltered
      ? `${document.querySelector("details[data-item]") ? `${shown.findings} findings, ` : ""}${shown.requirements} requirements` : "";
  };
  if (form) {
    form.hidden = false;
    form.addEventListener("input", apply);
    form.addEventListener("submit", (event) => event.preventDefault());
  }

  // A link to something that is closed or filtered out shows it.
  const reveal = () => {
    let target = null;
    try { target = document.getElementById(decodeURIComponent(location.hash.slice(1))); } catch { return; }
    if (!target) return;
    if (target.closest("[hidden]") && form) { form.reset(); apply(); }
    for (let node = target; node; node = node.parentElement) if (node.matches("details")) node.open = true;
    target.scrollIntoView();
  };
  addEventListener("hashchange", reveal);
  // The same link followed twice changes no hash.
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.('a[href^="#"]');
    if (link && link.hash === location.hash) reveal();
  });
  reveal();

  for (const tools of all("[data-tools]")) {
    tools.hidden = false;
    const section = tools.closest("section");
    const open = (value) => all("details[data-item], [data-others]", section).forEach((item) => { item.open = value; });
    tools.querySelector("[data-open-all]").addEventListener("click", () => open(true));
    tools.querySelector("[data-close-all]").addEventListener("click", () => open(false));
  }
  addEventListener("beforeprint", () => all("details[data-item], [data-others]").forEach((item) => { item.open = true; }));

  // Copying: the clipboard where the browser has one here, else a selection.
  const copied = async (pre) => {
    try { await navigator.clipboard.writeText(pre.textContent); return true; } catch { /* not allowed here */ }
    const range = document.createRange();
    range.selectNodeContents(pre);
    const selection = getSelection();
    selection.removeAllRanges();
    selection.addRange(range);
    return document.execCommand("copy");
  };
  for (const button of all("[data-copy]")) {
    button.hidden = false;
    const name = button.firstChild;
    button.addEventListener("click", async () => {
      name.data = (await copied(button.parentElement.querySelector("pre"))) ? "Copied" : "Selected";
      setTimeout(() => { name.data = "Copy"; }, 2000);
    });
  }
})();
