// Colours of maps and classes.

// Okabe & Ito's, which stay apart for every kind of colour vision; the true class is grey.
const CLASS_COLOURS = ["#E69F00", "#56B4E9", "#009E73", "#F0E442", "#0072B2", "#D55E00", "#CC79A7"];
// More of Tol's, which stay apart from these.
const TEN_COLOURS = [...CLASS_COLOURS, "#882255", "#999933", "#332288"];
const TRUE_COLOUR = "#d9d9d9";
const OTHER_COLOUR = "#333333";
const MOST_OTHERS = 3; // classes of that colour that a legend names
const LUMINANCE = [0.3, 0.59, 0.11];
// Where a map is drawn over the image, which must not look like low values of the map:
const MAP_OPACITY = 0.75;
const GREY_CONTRAST = 0.6; // of the image, about mid grey
const MID_GREY = 127.5;

export const FULL_SCALE = [0, 1]; // of a probability

/** The lowest and highest probability of a map in units; the full scale where they are equal. */
export function scaleOf(units, full) {
  let low = Infinity;
  let high = 0;
  for (const value of units) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  return low === high ? FULL_SCALE : [low / full, high / full];
}

/** Write the colour of a share into an image's bytes, from `at` on. */
export function paint(share, scale, bytes, at) {
  const level = Math.min(255, Math.round(255 * share));
  for (let channel = 0; channel < 3; channel++) bytes[at + channel] = scale[3 * level + channel];
  bytes[at + 3] = 255;
}

/** Let an image show through a map, in grey; both as bytes of red, green, blue and opacity. */
export function blendWithGrey(map, image) {
  for (let at = 0; at < map.length; at += 4) {
    let grey = 0;
    for (let channel = 0; channel < 3; channel++) grey += LUMINANCE[channel] * image[at + channel];
    grey = MID_GREY + GREY_CONTRAST * (grey - MID_GREY);
    for (let channel = 0; channel < 3; channel++) {
      map[at + channel] = MAP_OPACITY * map[at + channel] + (1 - MAP_OPACITY) * grey;
    }
  }
}

export function redGreenBlue(colour) {
  const number = parseInt(colour.slice(1), 16);
  return [number >> 16, (number >> 8) & 255, number & 255];
}

/**
 * Each class's colour in a map of predicted classes: always the same one where all classes have
 * one, else those that come first have one.
 *
 * @param predicted the commonest first.
 * @param count of all classes.
 */
export function classColours(trueClass, predicted, count) {
  const colours = new Map([[trueClass, TRUE_COLOUR]]);
  const others = predicted.filter((label) => label !== trueClass);
  const isFixed = count <= TEN_COLOURS.length;
  for (const [place, label] of others.entries()) {
    const colour = isFixed ? TEN_COLOURS[label] : CLASS_COLOURS[place];
    colours.set(label, colour ?? OTHER_COLOUR);
  }
  return colours;
}

/**
 * The entries of a legend: classes and their shares; many without a colour of their own together.
 *
 * @param shares pairs of a class and its share.
 * @param colours by class.
 * @returns each with `labels`, `share` and `colour`.
 */
export function legendEntries(shares, colours) {
  const entries = shares.map(([label, share]) => {
    return { labels: [label], share, colour: colours.get(label) };
  });
  const others = entries.filter(({ colour }) => colour === OTHER_COLOUR);
  if (others.length <= MOST_OTHERS) return entries;
  const labels = others.flatMap((entry) => entry.labels);
  const sum = others.reduce((total, { share }) => total + share, 0);
  const named = entries.filter((entry) => !others.includes(entry));
  return [...named, { labels, share: sum, colour: OTHER_COLOUR }];
}

/** A cell's background: the fuller a colour, the larger the share; none for 0. */
export function tint(colour, share) {
  if (share === 0) return "";
  return `color-mix(in srgb, ${colour} ${Math.round(45 * share)}%, transparent)`;
}
