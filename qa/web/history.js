// Conversations, kept in this browser and nowhere else.

const NAME = "nutgraf.history";
const CURRENT = "nutgraf.conversation";
const KEPT = 50;

/** Every conversation, the latest first. */
export function all() {
  try {
    const found = JSON.parse(localStorage.getItem(NAME) ?? "[]");
    return Array.isArray(found) ? found.filter((one) => one && Array.isArray(one.turns) && one.turns.length) : [];
  } catch {
    return [];
  }
}

/** Keep a conversation as the latest; the oldest make room. */
export function keep(conversation) {
  const others = all().filter((one) => one.id !== conversation.id);
  sessionStorage.setItem(CURRENT, conversation.id);
  for (let kept = KEPT - 1; ; kept = Math.floor(kept / 2)) {
    try {
      localStorage.setItem(NAME, JSON.stringify([conversation, ...others.slice(0, kept)]));
      return;
    } catch {
      if (kept === 0) return; // the browser keeps nothing: the conversation is on the page all the same
    }
  }
}

/** Forget one conversation, or all. */
export function forget(id) {
  const left = id ? all().filter((one) => one.id !== id) : [];
  if (left.length) localStorage.setItem(NAME, JSON.stringify(left));
  else localStorage.removeItem(NAME);
}

/** The conversation this tab was in before it went elsewhere. */
export const current = () => all().find((one) => one.id === sessionStorage.getItem(CURRENT)) ?? null;

/** Leave the conversation this tab was in. */
export const leave = () => sessionStorage.removeItem(CURRENT);

/** A conversation in which nothing has been said. */
export function begun(collection) {
  return { id: crypto.getRandomValues(new Uint32Array(2)).join("-"), at: Date.now(), collection, turns: [] };
}
