// Making elements. Text is only ever set as text: there is no way from a string to markup in these files.

/** An element with attributes and children; strings become text nodes. */
export function el(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === true) made.setAttribute(key, "");
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(key, String(value));
  }
  made.append(...children.filter((child) => child !== null && child !== undefined && child !== ""));
  return made;
}

/** The element with this id. */
export const byId = (id) => document.getElementById(id);

/** Facts on one line, each kept apart from its neighbours whatever way its letters run. */
export function facts(element, parts) {
  element.replaceChildren(...parts.flatMap((part, n) => [n ? " · " : "", el("bdi", {}, part)]));
}
