// Streamlit pushes an entry into the history for every parameter that the server writes into the address, so that Back
// would walk through each step of a slider. Here an entry is a page, and another run or study on it.
//
// On the way to another page its parameters may come before its path, which Streamlit writes only once the page is
// drawn; at once, they would overwrite those of the page that is being left. So they wait until the path is there.
//
// When Back is pressed while the server draws the page that is left, that page still answers, and Streamlit would push
// it on top of where Back leads. Until the reader does something else, nothing leads away from there.

const SUBJECTS = ["run", "runs", "study"];
const WAIT = 60; // ms; a page that is drawn takes its turn before a timer does
const ACTS = ["pointerdown", "keydown", "click"]; // a click may be all that an assistive program sends

function install() {
  const { pushState, replaceState } = History.prototype;
  let waiting = null;
  let returned = false;

  const write = (state, title, url) => {
    const [now, then] = [location, url].map((each) => new URL(each, location.href).searchParams);
    const another = SUBJECTS.some((name) => now.has(name) && then.get(name) !== now.get(name));
    (another ? pushState : replaceState).call(history, state, title, url);
  };
  const instead = (original) =>
    function (state, title, url) {
      const elsewhere = new URL(url ?? location, location.href).pathname !== location.pathname;
      if (elsewhere && returned) return;
      clearTimeout(waiting);
      if (elsewhere) original.call(history, state, title, url);
      else waiting = setTimeout(write, WAIT, state, title, url);
    };
  history.pushState = instead(pushState);
  history.replaceState = instead(replaceState);
  window.addEventListener("popstate", () => {
    clearTimeout(waiting);
    returned = true;
  });
  for (const act of ACTS) window.addEventListener(act, () => (returned = false), { capture: true });
}

export default function () {
  if (history.pushState === History.prototype.pushState) install();
}
