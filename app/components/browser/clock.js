// One moment for all that shows a run on a page: cursors of curves, Gram matrices and maps move in the same frame of the
// screen. Components are modules of their own, so what they share hangs on the window.
//
// A place is a number along the snapshots of the student that is looked at, 0 the first, and lies between two of them
// while it moves. Who stays at the end goes along with the newest snapshot as they arrive.

const clocks = (window.birdClocks ??= new Map());
const [SHORTEST, LONGEST] = [4, 14]; // s that playing takes, however many snapshots there are
const PER_SNAPSHOT = 0.25; // s
const GLIDE = 220; // ms
const CALM_SNAPSHOT = 900; // ms that each is shown where motion is not wanted

function clockOf(name) {
  if (!clocks.has(name)) clocks.set(name, new Clock());
  return clocks.get(name);
}

class Clock {
  constructor() {
    Object.assign(this, { tracks: [], wanted: null, at: 0, atEnd: true, playing: false, glide: null, last: 0, due: 0 });
    this.watchers = new Set();
  }

  // Until the reader picks a student, the one that came last, which is the one in training.
  get track() { return this.tracks.find((track) => track.name === this.wanted) ?? this.tracks.at(-1) ?? null; }
  get steps() { return this.track?.steps ?? []; }
  get end() { return Math.max(this.steps.length - 1, 0); }
  get frame() { return Math.round(this.at); }
  get shown() { return this.steps[this.frame] ?? null; }
  get step() { return this.steps.length ? valueAt(this.steps, this.at) : null; }

  watch(watcher) {
    this.watchers.add(watcher);
    this.turn();
    return () => this.watchers.delete(watcher);
  }

  // `step` null is the end.
  begin(wanted, step) {
    Object.assign(this, { wanted, playing: false, glide: null, atEnd: step === null });
    this.at = step === null ? this.end : Math.round(placeIn(this.steps, step));
    this.turn();
  }

  // What there is to show; the reader's place in it stays.
  feed(tracks) {
    const [step, known] = [this.step, this.tracks.length > 0];
    this.tracks = tracks;
    if (!this.atEnd) this.at = placeIn(this.steps, step ?? 0);
    else if (known && step !== null) {
      this.at = placeIn(this.steps, step);
      this.go(this.end);
    } else this.at = this.end;
    this.turn();
  }

  choose(wanted) {
    const step = this.step;
    this.wanted = wanted;
    this.glide = null;
    this.at = this.atEnd ? this.end : Math.round(placeIn(this.steps, step ?? 0));
    this.turn();
  }

  // At once, for a hand that is on the slider.
  seek(place) {
    Object.assign(this, { playing: false, glide: null });
    this.at = Math.min(Math.max(calm() ? Math.round(place) : place, 0), this.end);
    this.atEnd = this.at >= this.end;
    this.turn();
  }

  // To a snapshot, passing those between.
  go(place) {
    const to = Math.min(Math.max(Math.round(place), 0), this.end);
    Object.assign(this, { playing: false, atEnd: to >= this.end, glide: null });
    if (calm()) this.at = to;
    else if (to !== this.at) this.glide = { from: this.at, to, since: null };
    this.turn();
  }

  // To the last snapshot of what was picked at a step.
  goTo(step) {
    this.go(placeIn(this.steps, step));
  }

  play() {
    if (this.steps.length < 2) return;
    if (this.at >= this.end) this.at = 0;
    Object.assign(this, { playing: true, atEnd: false, glide: null, last: 0 });
    this.turn();
  }

  pause() {
    this.go(this.frame);
  }

  turn() {
    this.due ||= requestAnimationFrame((now) => {
      this.due = 0;
      this.move(now);
      for (const watcher of [...this.watchers]) watcher(this);
      if (this.playing || this.glide) this.turn();
    });
  }

  move(now) {
    if (this.glide) {
      this.glide.since ??= now;
      const part = Math.min((now - this.glide.since) / GLIDE, 1);
      this.at = this.glide.from + part * (2 - part) * (this.glide.to - this.glide.from);
      if (part === 1) Object.assign(this, { at: this.glide.to, glide: null });
    } else if (this.playing) {
      this.last ||= now;
      const passed = now - this.last;
      if (calm() && passed < CALM_SNAPSHOT) return;
      this.last = now;
      const seconds = Math.min(Math.max(this.end * PER_SNAPSHOT, SHORTEST), LONGEST);
      this.at = calm() ? Math.floor(this.at) + 1 : this.at + (passed / 1000) * (this.end / seconds);
      if (this.at >= this.end) Object.assign(this, { at: this.end, playing: false, atEnd: true });
    }
  }
}

// The value at a place between entries of a list.
function valueAt(list, place) {
  const low = Math.min(Math.floor(place), list.length - 1);
  const high = Math.min(low + 1, list.length - 1);
  return list[low] + (place - low) * (list[high] - list[low]);
}

// Where a value lies among those of a rising list, by halves: what `valueAt` undoes.
function placeIn(list, value) {
  if (!list.length || value <= list[0]) return 0;
  if (value >= list.at(-1)) return list.length - 1;
  let [low, high] = [0, list.length - 1];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (list[middle] <= value) low = middle;
    else high = middle;
  }
  return low + (value - list[low]) / (list[high] - list[low]);
}

// What a part of the page shows of its own snapshots [{step, …}] at the clock's moment: the two it lies between and how
// far it is from the one to the other, and the nearest.
function momentOf(clock, snapshots) {
  const step = clock.step;
  const place = step === null ? snapshots.length - 1 : placeIn(snapshots.map((shot) => shot.step), step);
  const low = Math.max(Math.floor(place), 0);
  return { low, high: Math.min(low + 1, snapshots.length - 1), part: place - low, nearest: Math.max(Math.round(place), 0) };
}
