// SPDX-License-Identifier: GPL-3.0-or-later
// The sandbox's own page of data connectors. Its routes are made up: see exposure_management/connector_wizard.py.
"use strict";

const VENDOR = "ServiceNowCmdb";
let editing = null;

const api = (method, path, body) => call(method, `/exposure/v1/dataConnectors${path}`, body);
const statusOf = (row) => (row.status.error ? `${row.status.state}: ${row.status.error}` : row.status.state);

async function show() {
  const rows = (await api("GET", "")).value;
  byId("connectors").replaceChildren(...rows.map((row) => {
    const line = document.createElement("tr");
    const actions = document.createElement("span");
    if (row.vendor === VENDOR) {
      actions.append(button("Edit", () => openWizard(row)));
      actions.append(button("Disconnect", async () => { await api("DELETE", `/${row.dataConnectorId}`); await show(); }));
    }
    line.append(...[row.vendor, row.settings.instance ?? "", statusOf(row), actions].map((content) => {
      const cell = document.createElement("td");
      cell.append(content);
      return cell;
    }));
    return line;
  }));
  return rows;
}

function turn() {
  for (const section of form.querySelectorAll("section")) section.hidden = section.dataset.kind !== form.elements.kind.value;
}

function openWizard(row) {
  editing = row?.dataConnectorId ?? null;
  form.reset();
  form.elements.instance.value = row?.settings.instance ?? "";
  byId("outcome").textContent = "";
  turn();
  wizard.showModal();
}

function entered() {
  const fields = [...form.querySelectorAll("section:not([hidden]) input")];
  const missing = [form.elements.instance, ...fields].find((field) => field.value.trim() === "");
  if (missing) throw new Error(`Enter: ${missing.labels[0].textContent.trim()}`);
  const details = Object.fromEntries(fields.map((field) => [field.name, field.value]));
  const settings = {
    instance: form.elements.instance.value.trim(), authentication: { kind: form.elements.kind.value, ...details },
  };
  return { vendor: VENDOR, settings, trace: { requestId: crypto.randomUUID(), clientTime: Date.now() } };
}

async function submit() {
  const body = entered();
  const made = editing ? await api("PUT", `/${editing}`, body) : await api("POST", "", body);
  for (let turns = 0; turns < 120; turns += 1) {
    const row = (await show()).find((each) => each.dataConnectorId === made.dataConnectorId);
    byId("outcome").textContent = row ? statusOf(row) : "Gone";
    if (!row || row.status.state !== "Connecting") return;
    await new Promise((wake) => setTimeout(wake, 500));
  }
}

byId("connect").addEventListener("click", () => openWizard(null));
byId("close").addEventListener("click", () => { wizard.close(); guarded(show); });
byId("submit").addEventListener("click", () => guarded(submit));
form.addEventListener("change", turn);
form.addEventListener("submit", (event) => { event.preventDefault(); byId("submit").click(); });
guarded(show);
