// The results of a search follow what is typed. Without this file the form has a button.
// <form data-live="results">: the id of the element that gets the results.
(() => {
  "use strict";

  const form = document.querySelector("form[data-live]");
  if (!form) return;
  const results = document.getElementById(form.dataset.live);
  let timer;
  let asked = new AbortController();

  async function search(byHand) {
    clearTimeout(timer);
    asked.abort();
    asked = new AbortController();
    const url = `${form.action}?${new URLSearchParams(new FormData(form))}`;
    try {
      const answer = await fetch(url, { headers: { "HX-Request": "true" }, signal: asked.signal });
      if (!answer.ok) return;
      results.innerHTML = await answer.text();
      history.replaceState(history.state, "", url);
    } catch (error) {
      if (byHand && error.name !== "AbortError") form.submit();
    }
  }

  form.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(search, 250, false);
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    search(true);
  });
})();
