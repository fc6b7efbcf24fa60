// The kernels of a first layer that is given the image: their weights as colours.

import { byId } from "./elements.mjs";
import { drawCell } from "./pictures.mjs";
import { significant } from "./text.mjs";

/** What is drawn, and its range. */
export function kernelText(name, { height, width }, largest) {
  const size = `${width}×${height} pixels`;
  const words = `Kernel of ${name}, ${size}: what the network's input is multiplied by`;
  if (largest === 0) return `${words}. All its weights are 0.`;
  const range = `±${significant(largest)}`;
  return (
    `${words}, in red, green and blue. Mid grey is 0; the range of each colour, from none to ` +
    `full, is ${range}, the largest weight of this filter.`
  );
}

/** Draw a filter's kernel, if its layer has any. */
export function drawKernel(name, { kernels }, channel) {
  byId("kernel").hidden = kernels === null;
  if (kernels === null) return;
  drawCell(byId("kernel-picture"), kernels.sprite, channel);
  const words = kernelText(name, kernels.sprite, kernels.largest[channel]);
  byId("kernel-caption").textContent = words;
}
