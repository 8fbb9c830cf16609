// “Everything is ready” goes on by itself: it presses the button of its page after a few seconds, once for
// each attempt in this tab, so that nobody who comes back is sent away again. Seconds count only while the
// page is in front. Without this file the button is there alone.
(() => {
  "use strict";

  let counting = { notice: null, timer: 0 };

  // Whether this attempt has not gone on in this tab yet. Without a memory it is never the first time.
  function first(key) {
    try {
      return sessionStorage.getItem(key) === null;
    } catch {
      return false;
    }
  }

  function stop(notice, key) {
    clearInterval(counting.timer);
    notice.hidden = true;
    sessionStorage.setItem(key, "done");
  }

  function countDown(notice, form, key) {
    const shown = notice.querySelector("[data-countdown]");
    let left = Number(notice.dataset.seconds);
    shown.textContent = left;
    notice.hidden = false;
    return setInterval(() => {
      if (document.visibilityState !== "visible") return;
      left -= 1;
      shown.textContent = left;
      if (left > 0) return;
      stop(notice, key);
      form.requestSubmit();
    }, 1000);
  }

  function begin() {
    const notice = document.querySelector("[data-go-on]");
    if (notice === counting.notice) return;
    clearInterval(counting.timer);
    counting = { notice, timer: 0 };
    if (!notice) return;
    const form = document.querySelector(`form[action="${notice.dataset.goOn}"]`);
    const key = `gone-on ${notice.dataset.goOn}`;
    if (!first(key)) return;
    notice.querySelector("[data-stay]").addEventListener("click", () => {
      stop(notice, key);
      form.querySelector("button").focus();
    });
    form.addEventListener("submit", () => { stop(notice, key); });
    counting.timer = countDown(notice, form, key);
  }

  document.addEventListener("DOMContentLoaded", begin);
  document.addEventListener("htmx:oobAfterSwap", begin);
})();
