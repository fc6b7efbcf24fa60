// The accuracy on each class, clean and ablated.

/**
 * What is lost of each class.
 *
 * @param confusion of each class `class_images`, how many it has, and how many of these are
 *   `right`, `clean` and `ablated`.
 * @returns per class its number, its images, the shares of them that are predicted right, and by
 *   how much they differ; null without images.
 */
export function classAccuracies({ right, class_images: classImages }) {
  return classImages.map((images, label) => {
    const [before, after] = [right.clean, right.ablated].map((counts) => counts[label]);
    const share = (count) => (images ? count / images : null);
    return {
      label,
      images,
      clean: share(before),
      ablated: share(after),
      change: share(after - before),
    };
  });
}
