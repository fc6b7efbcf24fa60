// Pointer, fingers and keys on a picture: they move a place, hold it, and let it go.

const STEPS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
const LARGE_STEP = 4; // of an arrow key with Shift
const SLACK = 4; // pixels that a pointer may move and still click

/** The step of a key, as rows down and columns to the right, or null. */
function stepOfKey({ key, shiftKey }) {
  const times = shiftKey ? LARGE_STEP : 1;
  return STEPS[key]?.map((step) => step * times) ?? null;
}

/**
 * Whether a pointer that comes up leaves the place held: after a drag and a tap it does, and a
 * click lets go what was held.
 */
export function holdsAfter({ pointerType }, isDragged, isHeld) {
  if (isDragged || pointerType === "touch") return true;
  return !isHeld;
}

/** Whether a moving pointer takes the place with it. */
export function follows({ pointerType }, isPressed, isHeld) {
  return isPressed || (pointerType !== "touch" && !isHeld);
}

/** Whether a pointer is where it was in the browser's window. */
export function isAt({ clientX, clientY }, before) {
  return before !== null && clientX === before.clientX && clientY === before.clientY;
}

const pointer = { last: null, isStill: false };

/** Know of every event of the pointer whether it moved, before a picture hears of it. */
export function watchPointer() {
  const watch = (event) => {
    pointer.isStill = isAt(event, pointer.last);
    pointer.last = event;
  };
  window.addEventListener("pointermove", watch, { capture: true });
}

/**
 * Let pointer and keys steer on a picture.
 *
 * @param actions `point(event)` moves to the pointer, `step(down, right)` from where the place is;
 *   `isHeld()`, and `hold(isHeld)` changes that.
 */
export function steer(canvas, { point, step, isHeld, hold }) {
  let start = null; // where the pointer was pressed
  let isDragged = false;
  const release = () => {
    start = null;
    isDragged = false;
  };
  canvas.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    start = event;
    isDragged = false;
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (pointer.isStill) return; // the page was scrolled under it
    const way = start && Math.hypot(event.clientX - start.clientX, event.clientY - start.clientY);
    isDragged ||= way > SLACK;
    if (follows(event, isDragged, isHeld())) point(event);
  });
  canvas.addEventListener("pointerup", (event) => {
    if (start === null) return;
    point(event);
    hold(holdsAfter(event, isDragged, isHeld()));
    release();
  });
  canvas.addEventListener("pointercancel", release);
  canvas.addEventListener("keydown", (event) => {
    const steps = stepOfKey(event);
    if (steps) step(...steps);
    else if (event.key === "Enter" || event.key === " ") hold(!isHeld());
    else return;
    event.preventDefault();
  });
}
