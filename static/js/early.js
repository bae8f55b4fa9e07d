// Runs before the first paint: the width of the side bar that this person chose.
(function () {
  "use strict";
  try {
    const side = localStorage.getItem("aip.side");
    if (side) document.documentElement.dataset.side = side;
  } catch {
    document.documentElement.dataset.storage = "none"; // private mode: the default width stands
  }
})();
