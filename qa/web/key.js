// The API key, when the server wants one: sent once, for a cookie that no script can read and every link brings along.
import { el } from "./dom.js";

/** The header that tells our own requests from those that another page has the browser make. */
export const OURS = { "X-Requested-With": "nutgraf" };

let asking = null;

/** Ask the person for the key until it is the right one. Everything that waits for one waits for the same dialog. */
export function enterKey() {
  asking ??= ask().finally(() => {
    asking = null;
  });
  return asking;
}

async function ask() {
  for (let why = "A cookie then stands for it in this browser, for 12 hours."; ; why = "That is not the key of this server.") {
    const key = await entered(why);
    const headers = { ...OURS, Accept: "application/json" };
    const response = await fetch("/session", { method: "POST", headers, body: new URLSearchParams({ key }) });
    if (response.ok) return;
    if (response.status !== 401) throw new Error("The key could not be sent.");
  }
}

function entered(why) {
  const input = el("input", { type: "password", id: "key", required: true, autocomplete: "current-password", spellcheck: "false" });
  const dialog = el(
    "dialog",
    { "aria-labelledby": "key-title" },
    el(
      "form",
      { method: "dialog" },
      el("h2", { id: "key-title" }, "This server wants its API key"),
      el("p", { class: "where" }, why),
      el("p", {}, el("label", { for: "key" }, "API key"), input),
      el("p", { class: "actions" }, el("button", { class: "primary", value: "ok" }, "Continue")),
    ),
  );
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve, reject) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      if (dialog.returnValue === "ok") resolve(input.value.trim());
      else reject(new Error("No key was given."));
    });
  });
}
