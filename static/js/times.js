// Times in the reader's own time zone. Without this file they are in the site's, and say so.
(() => {
  "use strict";

  const page = document.documentElement.lang;
  const language = page === "en" ? "en-GB" : page || undefined; // 21 Nov 2026, as the server writes it
  const clock = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
  const short = new Intl.DateTimeFormat(language, clock);
  const long = new Intl.DateTimeFormat(language, { day: "numeric", month: "short", year: "numeric", ...clock });

  const date = new Intl.DateTimeFormat(language, { day: "numeric", month: "short", year: "numeric" });

  // data-today, data-yesterday, data-other: the words around a time within a sentence.
  function inWords(element, at) {
    const yesterday = new Date();
    yesterday.setDate(yesterday.getDate() - 1);
    const is = (day) => at.toDateString() === day.toDateString();
    const words = is(new Date()) ? "today" : is(yesterday) ? "yesterday" : "other";
    return element.dataset[words].replace("{day}", date.format(at)).replace("{time}", short.format(at));
  }

  function tell(element) {
    const at = new Date(element.dateTime);
    if (Number.isNaN(at.getTime())) return;
    const today = at.toDateString() === new Date().toDateString();
    element.textContent = element.dataset.today ? inWords(element, at) : (today ? short : long).format(at);
    element.title = long.format(at);
  }

  const tellAll = () => document.querySelectorAll("time[datetime]").forEach(tell);

  document.addEventListener("DOMContentLoaded", tellAll);
  document.addEventListener("htmx:afterSettle", tellAll);
  document.addEventListener("htmx:oobAfterSwap", tellAll);
})();
