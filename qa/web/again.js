// A link on another site led here, so the browser kept the cookie back: ask once more, as a page of our own.
const form = document.getElementById("again");
form.requestSubmit(form.querySelector("button"));
