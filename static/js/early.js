// Runs before the first paint: the width of the side bar that this person chose, and the time until the modules
// have run. In that time a click on a button would fall on nothing, so buttons take none (css/base.css).
(function () {
  "use strict";
  const root = document.documentElement;
  root.dataset.loading = "";
  document.addEventListener("DOMContentLoaded", () => delete root.dataset.loading);
  try {
    const side = localStorage.getItem("aip.side");
    if (side) root.dataset.side = side;
  } catch {
    root.dataset.storage = "none"; // private mode: the default width stands
  }
})();
