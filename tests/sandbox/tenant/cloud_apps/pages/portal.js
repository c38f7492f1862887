// SPDX-License-Identifier: GPL-3.0-or-later
// The sandbox's own portal page. Its write routes are made up: see wizard.py.
"use strict";

const SERVICENOW = 14509;
const settled = ["Connected", "Connected with warnings", "Error", "Disabled"];
let editing = null;
let steps = [];
let step = 0;

const api = (method, path, body) => call(method, `/mcas/cas/api/v1${path}`, body);
const trace = () => ({ requestId: crypto.randomUUID(), clientTime: Date.now(), locale: navigator.language });
const hidden = (text) => btoa(String.fromCharCode(...new TextEncoder().encode(text)));

function statusOf(row) {
  const api = row.api;
  const template = api.statusTemplateMessage ?? "";
  if (!api.isEnabled) return "Disabled";
  if (api.isConnected) return api.hasWarnings ? "Connected with warnings" : "Connected";
  if (template.endsWith("_CONNECTING")) return "Connecting";
  if (template.endsWith("_PENDING")) return "Not confirmed";
  return "Error";
}

async function listed() {
  const query = { filters: {}, skip: 0, limit: 100, performAsyncTotal: false, sortField: "app", sortDirection: "desc" };
  const rows = [];
  let page;
  do {
    page = await api("POST", "/app_connectors/", { ...query, skip: rows.length });
    rows.push(...page.data);
  } while (page.hasNext);
  return rows;
}

async function show() {
  const rows = await listed();
  byId("connectors").replaceChildren(...rows.map((row) => {
    const line = document.createElement("tr");
    const cell = (content) => {
      const made = document.createElement("td");
      made.append(content);
      line.append(made);
    };
    const status = statusOf(row);
    cell(row.appId === SERVICENOW ? button(row.instanceName, () => openDrawer(row)) : row.name);
    cell(status === "Error" ? `Error: ${row.api.statusTemplateMessage}` : status);
    cell(String(row.api.usersCount ?? 0));
    cell(row.api.lastCheckTime ? new Date(row.api.lastCheckTime).toISOString().slice(0, 16).replace("T", " ") : "");
    const actions = document.createElement("span");
    if (row.appId === SERVICENOW) {
      actions.append(button("Edit settings", () => openWizard(row)));
      if (row.api.isEnabled) actions.append(button("Disable App connector", () => disable(row)));
      actions.append(button("Delete App connector", () => remove(row)));
    }
    cell(actions);
    return line;
  }));
  return rows;
}

const root_of = (row) => `/connector_onboarding/connectors/${row._id}`;

async function disable(row) {
  await api("PATCH", `${root_of(row)}/power/`, { trace: trace(), desired: "DISABLED" });
  await show();
}

async function remove(row) {
  await api("DELETE", `${root_of(row)}/`);
  await show();
}

function openDrawer(row) {
  byId("drawer-title").textContent = row.instanceName;
  const facts = {
    App: row.appName, Status: statusOf(row), Message: row.api.statusTemplateMessage ?? "", Accounts: row.api.usersCount,
    "Connected by": row.api.creator,
  };
  byId("details").replaceChildren(...Object.entries(facts).flatMap(([name, value]) => {
    const term = document.createElement("dt");
    const text = document.createElement("dd");
    term.textContent = name;
    text.textContent = String(value);
    return [term, text];
  }));
  byId("posture").checked = row.api.isSSPMEnabled;
  byId("posture").onchange = (event) => guarded(() =>
    api("PATCH", `${root_of(row)}/posture/`, { trace: trace(), secureScore: event.target.checked }));
  byId("drawer").showModal();
}

// The wizard

const mode = () => form.elements.mode.value;

function openWizard(row) {
  editing = row?._id ?? null;
  form.reset();
  form.elements.label.value = row?.instanceName ?? "";
  byId("wizard-alert").textContent = "";
  byId("apps").hidden = true;
  step = 0;
  turn();
  if (!wizard.open) wizard.showModal();
}

function turn() {
  steps = ["Connection", "Enter details", "Basic details", ...(mode() === "OAUTH" ? ["OAuth details"] : []), "Connected"];
  for (const section of wizard.querySelectorAll("section")) section.hidden = section.dataset.step !== steps[step];
  byId("wizard-title").textContent = `Connect ServiceNow: ${steps[step]}`;
  byId("back").hidden = step === 0 || step === steps.length - 1;
  byId("cancel").hidden = step === steps.length - 1;
  byId("next").textContent = step === steps.length - 1 ? "Done" : step === steps.length - 2 ? "Submit" : "Next";
}

function filled() {
  const fields = [...wizard.querySelectorAll("section:not([hidden]) input:not([type=radio])")];
  const missing = fields.find((field) => field.value.trim() === "");
  if (missing) throw new Error(`Enter: ${missing.labels[0].textContent.trim()}`);
}

function entered() {
  const value = (name) => form.elements[name].value;
  const endpoint = value("endpoint").trim();
  const access = { mode: mode(), endpoint, identity: { login: value("login").trim(), phrase: hidden(value("phrase")) } };
  if (mode() === "OAUTH") access.application = { key: value("key").trim(), secret: value("secret") };
  return { endpoint, body: { trace: trace(), connector: { saasId: SERVICENOW, label: value("label").trim(), access } } };
}

async function submit() {
  const { endpoint, body } = entered();
  const query = `?endpoint=${encodeURIComponent(endpoint)}&_=${Date.now()}`;
  const path = "/connector_onboarding/submissions/";
  const answer = editing
    ? await api("PUT", `${path}${editing}/${query}`, body)
    : await api("POST", `${path}${query}`, body);
  const id = answer.data.connector.id;
  await api("POST", `${path}${id}/confirmation/`, { trace: trace(), acknowledgement: { accepted: true } });
  step = steps.length - 1;
  turn();
  await follow(id);
}

async function follow(id) {
  for (let turns = 0; turns < 120; turns += 1) {
    const row = (await show()).find((each) => each._id === id);
    const status = row ? statusOf(row) : "Gone";
    byId("wizard-outcome").textContent = status === "Error" ? `Error: ${row.api.statusTemplateMessage}` : status;
    if (settled.includes(status) || !row) return;
    await new Promise((wake) => setTimeout(wake, 500));
  }
}

byId("connect").addEventListener("click", () => { byId("apps").hidden = !byId("apps").hidden; });
byId("servicenow").addEventListener("click", () => openWizard(null));
byId("close").addEventListener("click", () => { byId("drawer").close(); guarded(show); });
byId("cancel").addEventListener("click", () => wizard.close());
byId("back").addEventListener("click", () => { step -= 1; turn(); });
byId("next").addEventListener("click", () => guarded(async () => {
  if (step === steps.length - 1) return wizard.close();
  filled();
  if (step === steps.length - 2) return submit();
  step += 1;
  turn();
  return undefined;
}));
form.addEventListener("change", turn);
form.addEventListener("submit", (event) => { event.preventDefault(); byId("next").click(); });
guarded(show);
