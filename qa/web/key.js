// The API key, when the server wants one: asked for once, kept for this tab, sent as a header and never in an address.
import { el } from "./dom.js";

const NAME = "nutgraf.key";
let asking = null;

/** The header that carries the key; nothing where there is none. */
export function authorization() {
  const key = sessionStorage.getItem(NAME);
  return key ? { Authorization: `Bearer ${key}` } : {};
}

/** Ask the person for a key. Everything that waits for one waits for the same dialog. */
export function enterKey() {
  asking ??= ask().finally(() => {
    asking = null;
  });
  return asking;
}

function ask() {
  const refused = sessionStorage.getItem(NAME) !== null;
  const input = el("input", { type: "password", id: "key", required: true, autocomplete: "off", spellcheck: "false" });
  const dialog = el(
    "dialog",
    { "aria-labelledby": "key-title" },
    el(
      "form",
      { method: "dialog" },
      el("h2", { id: "key-title" }, "This server wants an API key"),
      el("p", { class: "where" }, refused ? "The key that was given is not the right one." : "It stays in this tab."),
      el("p", {}, el("label", { for: "key" }, "API key"), input),
      el("p", { class: "actions" }, el("button", { class: "primary", value: "ok" }, "Continue")),
    ),
  );
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve, reject) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      if (dialog.returnValue !== "ok") return reject(new Error("No key was given."));
      sessionStorage.setItem(NAME, input.value.trim());
      return resolve();
    });
  });
}
