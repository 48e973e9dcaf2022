// Choosing a collection: the address may name it (?collection=), and the choice holds for this tab, whichever view it is made in.
import { json } from "./api.js";
import { el } from "./dom.js";
import { oneLine } from "./text.js";

const NAME = "nutgraf.collection";

/** Fill a choice with the collections there are. Throws Problem. */
export async function fill(select) {
  const names = (await json("/v1/collections")).collections.map((one) => one.name);
  const named = new URLSearchParams(location.search).get("collection");
  const last = sessionStorage.getItem(NAME);
  if (names.length) select.replaceChildren(...names.map((name) => el("option", { value: name }, oneLine(name))));
  choose(select, [named, last, "default", names[0]].find((name) => names.includes(name)) ?? "default");
}

/** Choose one; a collection that is gone can still be named. */
export function choose(select, name) {
  if (![...select.options].some((option) => option.value === name)) select.append(el("option", { value: name }, oneLine(name)));
  select.value = name;
  sessionStorage.setItem(NAME, name);
}
