// Streamlit pushes an entry into the history for every parameter that the server writes into the address, so that Back
// would walk through each step of a slider. Here an entry is a page, and another run or study on it.

const SUBJECTS = ["run", "runs", "study"];

export default function () {
  if (history.pushState !== History.prototype.pushState) return;
  history.pushState = function (state, title, url) {
    const [from, to] = [new URL(location.href), new URL(url ?? location.href, location.href)];
    const another = SUBJECTS.some((name) => {
      const now = from.searchParams.get(name);
      return now !== null && to.searchParams.get(name) !== now;
    });
    if (from.pathname !== to.pathname || another) History.prototype.pushState.call(history, state, title, url);
    else history.replaceState(state, title, url);
  };
}
