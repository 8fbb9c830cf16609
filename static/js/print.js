// The page of a shop on paper: its button prints, and what is folded on the screen is unfolded meanwhile.
(() => {
  "use strict";

  const folded = () => document.querySelectorAll("main details:not([open])");
  let opened = [];
  addEventListener("beforeprint", () => {
    opened = [...folded()];
    for (const each of opened) each.open = true;
  });
  addEventListener("afterprint", () => {
    for (const each of opened) each.open = false;
  });
  document.querySelector("[data-print]")?.addEventListener("click", () => print());
})();
