/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Hosts, which rows name by number, and the details of one. */
const details = (function () {
  "use strict";
  const all = (selector, within = document) => Array.from(within.querySelectorAll(selector));
  const byId = (id) => document.getElementById(id);
  const numbersOf = (text) => (text || "").split(" ").filter(Boolean);

  // -- Hosts: rows name them by number --------------------------------------------------------------------------------

  const names = new Map(all("details.instance").map((each) => [each.id.slice("instance-".length), each.querySelector("h3").textContent]));

  function hostsOf(more) {
    return numbersOf(more.dataset.hosts).flatMap((range) => {
      const [first, last] = range.split("-").map(Number);
      return Array.from({ length: (last || first) - first + 1 }, (_, offset) => names.get(String(first + offset)));
    });
  }

  function offerHosts(more) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "plain";
    button.textContent = more.textContent || "show";
    button.setAttribute("aria-expanded", "false");
    button.addEventListener("click", () => {
      const listed = document.createElement("span");
      listed.tabIndex = -1;
      listed.textContent = (more.parentElement.firstChild.textContent.startsWith("all ") ? ": " : ", ") + hostsOf(more).join(", ");
      more.replaceChildren(listed);
      listed.focus();
    });
    more.replaceChildren(button);
  }

  // -- Details that are put together when they are opened -------------------------------------------------------------

  function titled(text) {
    const heading = document.createElement("h4");
    heading.textContent = text;
    return heading;
  }

  function linksTo(numbers) {
    const list = document.createElement("ul");
    list.className = "links";
    for (const number of numbers) {
      const link = document.createElement("a");
      link.href = "#todo-" + number;
      link.textContent = byId("todo-" + number).querySelector(".title").textContent;
      list.appendChild(document.createElement("li")).appendChild(link);
    }
    return list;
  }

  const copyOf = (id) => byId(id).content.cloneNode(true);

  function fill(each) {
    const body = each.querySelector(".body");
    if (each.dataset.parts === undefined || body.childElementCount) return;
    const rows = numbersOf(each.dataset.rows);
    const todo = numbersOf(each.dataset.todo);
    if (todo.length) body.append(titled("To do"), linksTo(todo));
    if (rows.length) {
      const region = document.createElement("div");
      region.className = "scroll";
      region.tabIndex = 0;
      region.setAttribute("role", "region");
      region.setAttribute("aria-label", "Deviations of " + each.querySelector("h3").textContent);
      region.append(copyOf("deviations"));
      region.querySelector("tbody").append(...rows.map((row) => copyOf("row-" + row)));
      body.append(titled("Deviations"), region);
    }
    body.append(...numbersOf(each.dataset.parts).map((part) => copyOf("part-" + part)));
  }

  return { all, byId, copyOf, fill, hostsOf, numbersOf, offerHosts };
})();
