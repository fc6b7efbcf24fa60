// The accuracy on each class, clean and ablated.

/**
 * What is lost of each class.
 *
 * @param confusion counts of images by true and predicted class, `clean` and `ablated`, and
 *   `class_images`.
 * @returns per class its number, its images, the shares of them that are predicted right, and by
 *   how much they differ; null without images.
 */
export function classAccuracies({ clean, ablated, class_images: classImages }) {
  return classImages.map((images, label) => {
    const [before, after] = [clean, ablated].map((counts) => counts[label][label]);
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
