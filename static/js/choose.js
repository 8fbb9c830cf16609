// Rows to choose from: one box for all of them, and how many are chosen. The page works without it.
(() => {
  "use strict";

  document.addEventListener("DOMContentLoaded", () => {
    const all = document.querySelector("[data-choose-all]");
    if (!all) return;
    const form = all.form;
    const boxes = [...form.querySelectorAll("[name='ids']")];
    const said = form.querySelector("[data-chosen]");

    function tell() {
      const count = boxes.filter((box) => box.checked).length;
      all.checked = count === boxes.length;
      all.indeterminate = count > 0 && count < boxes.length;
      said.textContent = count ? ` ${said.dataset.chosen.replace("{n}", count)}` : "";
    }

    all.hidden = false;
    form.addEventListener("change", (event) => {
      if (event.target === all) boxes.forEach((box) => { box.checked = all.checked; });
      tell();
    });
    tell();
  });
})();
