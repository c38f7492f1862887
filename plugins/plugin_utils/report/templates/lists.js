/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The filter of the page, its long lists, and the sort of its tables. */
const page = (function () {
  "use strict";
  const { all, byId, copyOf, hostsOf, numbersOf } = details;

  // -- Filter: every word must be found in an entry -------------------------------------------------------------------

  const box = byId("filter");
  const count = byId("filter-count");
  const said = byId("said");
  const rowOf = new Map(all("tr[data-row]").map((row) => [row.dataset.row, row]));
  const textOfRow = new Map();

  function textOf(element) {
    let text = element.textContent + " " + (element.dataset.words || "");
    for (const more of all(".more", element)) text += " " + hostsOf(more).join(" ");
    return text;
  }

  function deviation(number) {
    if (!textOfRow.has(number)) textOfRow.set(number, copyOf("row-" + number).textContent);
    return textOfRow.get(number);
  }

  function textOfInstance(each) {
    let text = each.querySelector("summary").textContent;
    for (const number of numbersOf(each.dataset.todo)) {
      const item = byId("todo-" + number);
      text += " " + item.querySelector(".line").textContent + " " + item.parentElement.previousElementSibling.textContent;
    }
    if (each.dataset.rows !== undefined) {
      return text + " " + numbersOf(each.dataset.rows).map(deviation).join(" ");
    }
    return text + " " + all("table.drift tbody", each).map((body) => body.textContent).join(" ");
  }

  const entries = all("[data-item]").map((element) => {
    const row = rowOf.get(element.id.slice("instance-".length));
    const list = (row || element).closest("table, ul.todos");
    return { element, kind: element.dataset.item, section: element.closest("section"), row, list, text: null, shown: true };
  });

  function found(entry, words) {
    if (entry.text === null) {
      const instance = entry.element.localName === "details";
      entry.text = (instance ? textOfInstance(entry.element) : textOf(entry.element)).toLowerCase();
    }
    return words.every((word) => entry.text.includes(word));
  }

  function show(entry, shown) {
    if (shown === entry.shown) return;
    entry.shown = shown;
    entry.element.hidden = !shown;
    if (entry.row) entry.row.hidden = !shown;
  }

  // Browsers are slow with very many rows, so that only some of a long list are shown at first.
  const FIRST_ROWS = 50;
  const ROWS_OF_A_FRAME = 100;
  const plural = (kind, number) => kind + (number === 1 ? "" : "s");
  const lists = new Map();
  for (const entry of entries.filter((each) => each.list)) {
    if (!lists.has(entry.list)) lists.set(entry.list, { entries: [], limit: FIRST_ROWS, further: null });
    lists.get(entry.list).entries.push(entry);
  }

  function offerFurther(element, list) {
    const note = document.createElement("p");
    note.className = "note";
    list.further = document.createElement("button");
    list.further.type = "button";
    list.further.className = "plain";
    list.further.addEventListener("click", () => {
      showMore(list);
      box.focus();
    });
    note.append(list.further);
    (element.closest(".scroll, .card") || element).after(note);
  }

  function limitTo(list) {
    let left = list.limit;
    for (const entry of list.entries) show(entry, entry.found && left-- > 0);
    if (!list.further) return;
    list.further.parentElement.hidden = left >= 0;
    list.further.textContent = "Show " + -left + " more " + plural(list.entries[0].kind, -left);
  }

  // In steps, between which the browser draws and answers.
  function showMore(list) {
    if (list.limit < list.entries.length) requestAnimationFrame(() => showMore(list));
    list.limit += ROWS_OF_A_FRAME;
    limitTo(list);
  }

  function filter() {
    const words = box.value.toLowerCase().split(/\s+/).filter(Boolean);
    const kinds = new Map();
    const sections = new Map();
    for (const entry of entries) {
      entry.found = !words.length || found(entry, words);
      if (!entry.list) show(entry, entry.found);
      const numbers = kinds.get(entry.kind) || [0, 0];
      kinds.set(entry.kind, [numbers[0] + entry.found, numbers[1] + 1]);
      sections.set(entry.section, (sections.get(entry.section) || 0) + entry.found);
    }
    for (const list of lists.values()) limitTo(list);
    for (const [section, shown] of sections) section.querySelector(".nothing").hidden = shown > 0;
    for (const list of all("ul.todos")) showGroup(list, lists.has(list) && lists.get(list).entries.some((entry) => entry.shown));
    const parts = Array.from(kinds).filter(([kind]) => kind !== "tenant").reverse();
    count.textContent = words.length ? parts.map(([kind, [shown, of]]) => shown + " of " + of + " " + plural(kind, of)).join(", ") : "";
  }

  function showGroup(list, shown) {
    for (const part of [list, list.previousElementSibling, list.previousElementSibling.previousElementSibling]) part.hidden = !shown;
  }

  // -- Sort: a button in each column head -----------------------------------------------------------------------------

  // How bad a cell of the map is, beyond its number.
  const RANKS = { failed: 4e6, "heat-1": 2e6, "heat-2": 2e6, "heat-3": 2e6, unproven: 1e6, repaired: 1e3, ok: 1, none: -1 };
  const { compare } = new Intl.Collator("en", { numeric: true });

  function valueOf(cell) {
    const rank = cell.dataset.value === undefined ? RANKS[cell.className] : undefined;
    const text = cell.dataset.value === undefined ? cell.textContent.trim() : cell.dataset.value;
    return { text, number: rank === undefined ? (text === "" ? NaN : Number(text)) : rank + (parseInt(text, 10) || 0) };
  }

  function order(a, b) {
    return Number.isNaN(a.number) || Number.isNaN(b.number) ? compare(a.text, b.text) : a.number - b.number;
  }

  function sort(table, head, name) {
    const column = Array.from(head.parentElement.children).indexOf(head);
    const direction = head.getAttribute("aria-sort") === "ascending" ? -1 : 1;
    for (const other of head.parentElement.children) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", direction > 0 ? "ascending" : "descending");
    const body = table.tBodies[0];
    const rows = Array.from(body.rows).map((row) => ({ row, ...valueOf(row.cells[column]) }));
    rows.sort((a, b) => direction * order(a, b));
    body.append(...rows.map(({ row }) => row));
    const list = lists.get(table);
    if (list) {
      const places = new Map(rows.map(({ row }, place) => [row, place]));
      const placeOf = (entry) => places.get(entry.row || entry.element);
      list.entries.sort((a, b) => placeOf(a) - placeOf(b));
      if (list.entries[0].row) document.querySelector("#instances .details").append(...list.entries.map((entry) => entry.element));
      limitTo(list);
    }
    said.textContent = "Sorted by " + name + (direction > 0 ? ", ascending" : ", descending");
  }

  for (const table of all("table.sortable")) {
    for (const head of all("thead th", table)) {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "sort";
      button.append(head.firstChild);
      button.addEventListener("click", () => sort(table, head, button.textContent.trim()));
      head.prepend(button);
    }
  }

  // -- What starts and ends them --------------------------------------------------------------------------------------

  let due = 0;
  box.addEventListener("input", () => {
    cancelAnimationFrame(due);
    due = requestAnimationFrame(filter);
  });
  for (const [element, list] of lists) {
    if (list.entries.length > FIRST_ROWS) offerFurther(element, list);
  }
  // Paper has everything that the filter leaves.
  addEventListener("beforeprint", () => {
    for (const list of lists.values()) [list.onScreen, list.limit] = [list.limit, Infinity];
    filter();
  });
  addEventListener("afterprint", () => {
    for (const list of lists.values()) list.limit = list.onScreen;
    filter();
  });
  box.parentElement.hidden = false;
  filter();

  // Show an entry that the filter or the length of its list hides.
  function reveal(element) {
    const entry = entries.find((each) => each.element === element);
    if (entry) show(entry, true);
    if (entry && entry.list && entry.list.localName === "ul") showGroup(entry.list, true);
  }

  return { reveal };
})();
