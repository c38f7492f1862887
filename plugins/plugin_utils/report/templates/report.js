/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Copies, links, and the start of the page. */
(function () {
  "use strict";
  const { all, byId, fill, offerHosts } = details;
  const said = byId("said");

  // -- Copy -----------------------------------------------------------------------------------------------------------

  function select(element) {
    getSelection().selectAllChildren(element);
  }

  async function copy(code, label, button) {
    try {
      await navigator.clipboard.writeText(code.textContent);
      button.textContent = "Copied";
      said.textContent = label + " copied";
      setTimeout(() => { button.textContent = "Copy"; }, 2000);
    } catch {
      select(code);
      said.textContent = label + " is selected: copy it with Ctrl+C or Command+C";
      button.textContent = "Selected";
      setTimeout(() => { button.textContent = "Copy"; }, 2000);
    }
  }

  function offerCopies(within) {
    for (const code of all("code.copied:not([data-offered])", within)) {
      code.dataset.offered = "";
      const line = code.closest("dl.enter > div");
      const label = (line ? line.querySelector("dt").textContent : code.textContent) + (code.dataset.of ? " of " + code.dataset.of : "");
      const button = document.createElement("button");
      button.type = "button";
      button.className = "copy";
      button.textContent = "Copy";
      button.setAttribute("aria-label", "Copy " + label);
      button.addEventListener("click", () => copy(code, label, button));
      code.after(" ", button);
    }
  }

  // -- Links to an instance or to an entry of the sheet ---------------------------------------------------------------

  function unfold() {
    const target = location.hash && byId(location.hash.slice(1));
    if (!target) return;
    page.reveal(target);
    if (target.localName === "details") target.open = true;
    target.scrollIntoView();
  }

  document.addEventListener("toggle", (event) => {
    if (!event.target.open) return;
    if (event.target.matches("details.instance")) fill(event.target);
    offerCopies(event.target);
  }, true);
  addEventListener("hashchange", unfold);
  // A link to where the address is already unfolds as well.
  document.addEventListener("click", (event) => {
    const link = event.target.closest && event.target.closest("a[href^='#']");
    if (link && link.hash === location.hash) unfold();
  });

  for (const more of all(".more")) offerHosts(more);
  for (const item of all(".todo > dl, table")) offerCopies(item);
  for (const open of all("details.each[open]")) offerCopies(open);
  const note = byId("needs-script");
  if (note) note.hidden = true;
  const linked = location.hash && byId(location.hash.slice(1));
  if (linked && linked.localName === "details") {
    linked.open = true;
    fill(linked);
  }
  unfold();
})();
