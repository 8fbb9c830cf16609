// While somebody waits: other words after 10 s and after 60 s, and a countdown to the next try. Without this
// file the page loads itself again, and is right by itself (views/attempt/patience.py).
(() => {
  "use strict";

  const LONGER = 10;
  const LONG = 60;
  const COUNTED = 90; // from so many seconds on; before, the page says at what time the next try is
  const seen = new WeakMap();

  // Seconds since this element came onto the page. It may have come with an answer of the server's.
  function age(element) {
    if (!seen.has(element)) seen.set(element, Date.now());
    return Math.max(Date.now() - seen.get(element), 0) / 1000;
  }

  // A status region reads out what changes: only what says something new is written.
  function say(element, words) {
    if (words && element.textContent.trim() !== words) element.textContent = words;
  }

  function wait(element) {
    const waited = Number(element.dataset.waited) + age(element);
    if (waited >= LONG) say(element, element.dataset.long);
    else if (waited >= LONGER) say(element, element.dataset.longer);
  }

  function countDown(element) {
    const left = Math.ceil(Number(element.dataset.nextTry) - age(element));
    if (left <= 0) say(element, element.dataset.now);
    else if (left <= COUNTED) say(element, element.dataset.soon.replace("SECONDS", left));
  }

  function tick() {
    document.querySelectorAll("[data-waited]").forEach(wait);
    document.querySelectorAll("[data-next-try]").forEach(countDown);
  }

  document.addEventListener("htmx:afterSettle", tick);
  document.addEventListener("DOMContentLoaded", tick);
  setInterval(tick, 1000);
})();
