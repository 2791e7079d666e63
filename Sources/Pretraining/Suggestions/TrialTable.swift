extension Trial {
  /// The best settings of each kind of pictures that was tried. All are of models of width 64 with 4 blocks; on
  /// Fashion-MNIST larger ones learned less in the same time.
  public static let best: [Trial] = [
    Trial(
      "Fashion-MNIST", pictures: 1_000, image: 28, patch: 4, channels: 1, epochs: 240, crop: 0.6,
      features: Accuracy(neighbours: 79.5, line: 79.6), pixels: Accuracy(neighbours: 76.7, line: 79.9)),
    Trial(
      "Fashion-MNIST", pictures: 3_000, image: 28, patch: 4, channels: 1, epochs: 80, crop: 0.6,
      features: Accuracy(neighbours: 83.4, line: 83.8), pixels: Accuracy(neighbours: 81.9, line: 82.6)),
    Trial(
      "Fashion-MNIST", pictures: 10_000, image: 28, patch: 4, channels: 1, epochs: 24, crop: 0.6,
      features: Accuracy(neighbours: 86.4, line: 86.8), pixels: Accuracy(neighbours: 85.1, line: 84.1)),
    Trial(
      "Fashion-MNIST", pictures: 50_000, image: 28, patch: 4, channels: 1, epochs: 24, crop: 0.6,
      features: Accuracy(neighbours: 89.6, line: 90.1), pixels: Accuracy(neighbours: 88.1, line: 85.6)),
    Trial(
      "photographs", pictures: 3_007, image: 64, patch: 8, channels: 3, epochs: 80, crop: 0.4,
      features: Accuracy(neighbours: 69.2, line: 65.4), pixels: Accuracy(neighbours: 30.1, line: 38.8)),
    Trial(
      "scenes", pictures: 3_000, image: 64, patch: 8, channels: 3, epochs: 80, crop: 0.4,
      features: Accuracy(neighbours: 12.4, line: 18.3), pixels: Accuracy(neighbours: 10.8, line: 9.2)),
    Trial(
      "solar cells", pictures: 1_968, image: 96, patch: 8, channels: 1, epochs: 120, crop: 0.5,
      features: Accuracy(neighbours: 81.4, line: 81.6), pixels: Accuracy(neighbours: 77.6, line: 79.3)),
    Trial(
      "photographs", pictures: 3_007, image: 96, patch: 12, channels: 3, epochs: 80, crop: 0.4,
      features: Accuracy(neighbours: 67.4, line: 67.2), pixels: Accuracy(neighbours: 30.1, line: 38.8)),
    Trial(
      "photographs", pictures: 3_007, image: 224, patch: 16, channels: 3, epochs: 40, crop: 0.4,
      features: Accuracy(neighbours: 67.0, line: 65.3), pixels: Accuracy(neighbours: 30.1, line: 38.8)),
  ]
}
