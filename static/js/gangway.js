// Small comforts. Every page works without this file.
(() => {
  "use strict";

  const each = (selector, act, root = document) => root.querySelectorAll(selector).forEach(act);

  function reveal(root) {
    each("[data-needs-js][hidden]", (element) => { element.hidden = false; }, root);
  }

  function focusErrors() {
    const summary = document.querySelector(".error-summary");
    if (summary) summary.focus();
  }

  // A link of the error summary goes to its field, not merely near it.
  function followError(event) {
    const link = event.target.closest(".error-summary a[href^='#']");
    const field = link && document.getElementById(link.hash.slice(1));
    if (!field) return;
    event.preventDefault();
    field.focus();
  }

  async function copy(event) {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    await navigator.clipboard.writeText(button.dataset.copy);
    const said = button.querySelector("[role='status']");
    said.textContent = button.dataset.copied;
    setTimeout(() => { said.textContent = ""; }, 3000);
    button.classList.add("copied");
  }

  function print(event) {
    if (event.target.closest("[data-print]")) window.print();
  }

  function closeMenus(event) {
    const escape = event.type === "keydown" && event.key === "Escape";
    if (event.type === "keydown" && !escape) return;
    each("details.menu[open]", (menu) => {
      if (!escape && menu.contains(event.target)) return;
      menu.open = false;
      if (escape) menu.querySelector("summary").focus();
    });
  }

  // The visitor closed the passkey window, or the browser has none: say so in the page.
  function passkeyFailed(event) {
    const notice = document.querySelector("[data-passkey-error]");
    if (!notice) return;
    event.preventDefault();
    notice.hidden = false;
    notice.focus();
  }

  // A page whose news is rare asks only while it is looked at, and at once when somebody comes back to it.
  const isQuiet = (element) => element instanceof Element && element.hasAttribute("data-quiet");

  function stayQuiet(event) {
    if (document.hidden && isQuiet(event.target)) event.preventDefault();
  }

  function look() {
    if (document.hidden || !window.htmx) return;
    each("[data-quiet]", (element) => { window.htmx.trigger(element, "look"); });
  }

  // The vendor's page opens in another tab: this one soon says so.
  function lookAfterLeaving(event) {
    if (event.target.target === "_blank") [1500, 5000].forEach((delay) => { setTimeout(look, delay); });
  }

  // Tells the site the reader's time zone, so that it writes times in it. Otherwise they are in the site's
  // zone, and say so.
  function tellTimeZone() {
    const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
    const https = location.protocol === "https:";
    const cookie = `${https ? "__Host-" : ""}timezone=${zone}`;
    if (!zone || document.cookie.split("; ").includes(cookie)) return;
    document.cookie = `${cookie}; Path=/; Max-Age=31536000; SameSite=Lax${https ? "; Secure" : ""}`;
  }

  // Keeps times right on a page that stays open: "5 minutes ago" grows older, and after midnight no time is of
  // "today" any more.
  function keepTimes() {
    const ago = new Intl.RelativeTimeFormat(document.documentElement.lang || "en");
    const opened = new Date().toDateString();
    setInterval(() => {
      const isLater = new Date().toDateString() !== opened;
      each(isLater ? "time[title]" : "time[data-then]", (time) => {
        const minutes = Math.floor((Date.now() - Date.parse(time.dateTime)) / 60_000);
        if (isLater) time.textContent = time.title;
        else if (minutes >= 60) time.textContent = time.dataset.then;
        else if (minutes >= 1) time.textContent = ago.format(-minutes, "minute");
      });
    }, 30_000);
  }

  tellTimeZone();
  keepTimes();
  document.addEventListener("htmx:beforeRequest", stayQuiet);
  document.addEventListener("visibilitychange", look);
  document.addEventListener("pageshow", (event) => { if (event.persisted) look(); });
  document.addEventListener("submit", lookAfterLeaving);
  document.addEventListener("click", followError);
  document.addEventListener("click", copy);
  document.addEventListener("click", print);
  document.addEventListener("click", closeMenus);
  document.addEventListener("keydown", closeMenus);
  document.addEventListener("allauth.error", passkeyFailed);
  document.addEventListener("htmx:afterSettle", (event) => reveal(event.target));
  document.addEventListener("DOMContentLoaded", () => {
    reveal(document);
    focusErrors();
  });
})();
