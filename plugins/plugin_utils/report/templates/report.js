/* SPDX-License-Identifier: GPL-3.0-or-later */
(function () {
  "use strict";
  const box = document.getElementById("filter");
  const count = document.getElementById("filter-count");
  const nothing = document.getElementById("nothing-found");
  const entries = Array.from(document.querySelectorAll("[data-find]"));

  function filter() {
    const words = box.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const entry of entries) {
      entry.hidden = !words.every((word) => entry.dataset.find.includes(word));
    }
    const rows = entries.filter((entry) => entry.tagName === "TR");
    const shown = rows.filter((row) => !row.hidden).length;
    count.textContent = words.length ? shown + " of " + rows.length + " instances" : "";
    nothing.hidden = shown > 0 || rows.length === 0;
  }

  function unfold() {
    const target = document.getElementById(location.hash.slice(1));
    const details = target && target.closest("details");
    if (details && !details.open) {
      details.open = true;
      details.scrollIntoView();
    }
  }

  box.parentElement.hidden = false;
  box.addEventListener("input", filter);
  window.addEventListener("hashchange", unfold);
  filter();
  unfold();
})();
