// Tells the site the reader's time zone, so that it writes times in it. Without this file they are in the
// site's zone, and say so. And keeps times right on a page that stays open: "5 minutes ago" grows older, and
// after midnight no time is of "today" any more.
(() => {
  "use strict";

  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const https = location.protocol === "https:";
  const cookie = `${https ? "__Host-" : ""}timezone=${zone}`;
  if (zone && !document.cookie.split("; ").includes(cookie)) {
    const secure = https ? "; Secure" : "";
    document.cookie = `${cookie}; Path=/; Max-Age=31536000; SameSite=Lax${secure}`;
  }

  const ago = new Intl.RelativeTimeFormat(document.documentElement.lang || "en");
  const opened = new Date().toDateString();
  setInterval(() => {
    const isLater = new Date().toDateString() !== opened;
    for (const time of document.querySelectorAll(isLater ? "time[title]" : "time[data-then]")) {
      const minutes = Math.floor((Date.now() - Date.parse(time.dateTime)) / 60_000);
      if (isLater) time.textContent = time.title;
      else if (minutes >= 60) time.textContent = time.dataset.then;
      else if (minutes >= 1) time.textContent = ago.format(-minutes, "minute");
    }
  }, 30_000);
})();
