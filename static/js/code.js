// The form sends itself when all six digits of the code are there, also pasted with blanks. The button does
// the same, and whichever comes first, the code is sent once.
(() => {
  "use strict";

  const digits = (text) => text.normalize("NFKC").replace(/[^\p{L}\p{N}]/gu, "");

  document.addEventListener("DOMContentLoaded", () => {
    const form = document.querySelector("form[data-sends-itself]");
    if (!form) return;
    const box = form.elements.code;
    let sent = false;

    function sendIfWhole() {
      if (!sent && /^\d{6}$/.test(digits(box.value))) form.requestSubmit();
    }

    form.addEventListener("submit", (event) => {
      if (sent) event.preventDefault();
      sent = true;
      setTimeout(() => { sent = false; }, 15000); // the connection broke: the button works again
    });
    box.addEventListener("input", sendIfWhole);
    if (box.value !== box.defaultValue) sendIfWhole(); // typed before this file was there; no wrong code again
    window.addEventListener("pageshow", (event) => { if (event.persisted) sent = false; });
  });
})();
