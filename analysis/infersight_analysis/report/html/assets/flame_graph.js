"use strict";
// A frame that is chosen becomes as wide as its graph, with those above it; the first frame brings all of them back.
for (const graph of document.querySelectorAll("svg.flame")) {
  const frames = [...graph.querySelectorAll("svg.frame")];
  const numbers = new Map(frames.map((f) => [f, [parseFloat(f.dataset.x), parseFloat(f.dataset.w)]]));
  const zoom = (chosen) => {
    const [left, width] = numbers.get(chosen);
    for (const frame of frames) {
      const [x, w] = numbers.get(frame);
      const from = Math.max(0, (x - left) / width * 100);
      const to = Math.min(100, (x + w - left) / width * 100);
      const seen = to - from > 0.05;
      frame.style.display = seen ? "" : "none";
      if (seen) { frame.setAttribute("x", from + "%"); frame.setAttribute("width", to - from + "%"); }
    }
  };
  for (const frame of frames) {
    frame.addEventListener("click", () => zoom(frame));
    frame.addEventListener("keydown", (event) => {
      if (event.key === "Enter" || event.key === " ") { event.preventDefault(); zoom(frame); }
    });
  }
}
