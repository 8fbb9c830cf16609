// Tells the site the reader's time zone, so that it writes times in it. Without this file they are in the
// site's zone, and say so.
(() => {
  "use strict";

  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const https = location.protocol === "https:";
  const cookie = `${https ? "__Host-" : ""}timezone=${zone}`;
  if (!zone || document.cookie.split("; ").includes(cookie)) return;
  const secure = https ? "; Secure" : "";
  document.cookie = `${cookie}; Path=/; Max-Age=31536000; SameSite=Lax${secure}`;
})();
