// SPDX-License-Identifier: GPL-3.0-or-later
// What the sandbox's own portal pages share: calls of the portal with its cookie, buttons, and where errors are shown.
"use strict";

const root = document.body.dataset.root;
const tenant = document.body.dataset.tenant;
const byId = (id) => document.getElementById(id);
const wizard = byId("wizard");
const form = wizard.querySelector("form");

function xsrf() {
  const found = document.cookie.split("; ").find((part) => part.startsWith("XSRF-TOKEN="));
  return found ? decodeURIComponent(found.slice("XSRF-TOKEN=".length)) : "";
}

async function call(method, path, body) {
  const headers = { "X-XSRF-TOKEN": xsrf(), "x-tid": tenant, "tenant-id": tenant };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const answer = await fetch(`${root}/apiproxy${path}`, {
    method, headers, body: body === undefined ? undefined : JSON.stringify(body),
  });
  if (answer.status === 401) {
    location.assign(`${root}/signin`);
    throw new Error("The session has expired.");
  }
  const text = await answer.text();
  let content = {};
  try { content = JSON.parse(text); } catch { /* nothing, or an HTML page of an intermediary */ }
  if (!answer.ok) throw new Error(content.error?.message ?? `The portal answered ${answer.status}.`);
  return content;
}

function button(text, action) {
  const made = document.createElement("button");
  made.type = "button";
  made.textContent = text;
  made.addEventListener("click", () => guarded(action));
  return made;
}

async function guarded(action) {
  byId("alert").textContent = byId("wizard-alert").textContent = "";
  try {
    await action();
  } catch (error) {
    byId(wizard.open ? "wizard-alert" : "alert").textContent = error.message;
  }
}
