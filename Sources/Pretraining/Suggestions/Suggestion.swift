import Foundation
import Networks
import Schemas
import Settings
import TensorStream

/// Settings of MAE for a set of pictures, from those that were best on the nearest set that was tried (`Trial.best`).
///
/// A smaller set than the trial's is shown for as many steps, and a larger one for as many epochs.
public struct Suggestion: Sendable {
  public let trial: Trial
  public let configuration: Configuration<MAE.Options>
  private let extent: PictureExtent

  public init(for extent: PictureExtent) {
    self.extent = extent
    trial = Trial.nearest(to: extent)
    var encoder = trial.encoder
    encoder.channels = extent.channels
    encoder.image = trial.image(for: extent.side)
    var c = Configuration<MAE.Options>(encoder: encoder)
    c.options.decoder = trial.decoder
    c.dropPath = Trial.dropPath
    c.batch = min(Trial.batch, extent.pictures)
    c.learningRate = Trial.learningRate * Double(c.batch) / Double(Trial.batch)
    let shown = Double(trial.epochs) * Double(max(trial.pictures, extent.pictures)) / Double(extent.pictures)
    c.run(epochs: max(1, Int(shown.rounded())))
    configuration = c
  }

  public var steps: Int { configuration.epochs * (extent.pictures / configuration.batch) }

  /// Options, and why they are what they are.
  public var reasons: [(options: String, reason: String)] {
    let (c, e) = (configuration, configuration.encoder)
    let side = Int(extent.side.rounded())
    let size =
      Double(e.image) < 0.9 * extent.side
      ? "the pictures have about \(side) pixels a side; views of \(e.image) were tried, and larger ones take longer"
      : "about as large as the pictures"
    let length =
      extent.pictures < trial.pictures
      ? "\(grouped(steps)) steps, as many as the trial's \(counted(trial.epochs, "epoch")) of \(grouped(trial.pictures))"
      : "as in the trial: \(grouped(steps)) steps"
    var reasons = [
      ("--image \(e.image)", size),
      ("--channels \(e.channels)", e.channels == 1 ? "all pictures are grey" : "some pictures have colours"),
      ("--patch \(e.patch)", "\(e.patches) patches a picture, of which the encoder sees a quarter"),
      ("--width \(e.width) --depth \(e.depth)", "larger ones learn more in a step, less in minutes: for hours, larger"),
      ("--epochs \(c.epochs)", length),
      (
        recipe,
        "the least share of a picture that a view shows; no flip where left and right differ, vflip where no side is up"
      ),
    ]
    if c.batch < Trial.batch { reasons.append(("--batch \(c.batch)", "there are no more pictures")) }
    return reasons
  }

  /// What is to be known before the suggestion is followed: where the set is unlike all that was tried, and where nothing that was learned
  /// there was better than pixels.
  public var warnings: [String] {
    var warnings: [String] = []
    let share = Double(extent.pictures) / Double(trial.pictures)
    if share > 4 {
      warnings.append(
        "no set as large was tried: a larger model may be worth its time (--preset, --model vit-small)")
    } else if share < 0.5 {
      warnings.append("no set of this size with so few pictures was tried")
    }
    if trial.features.neighbours <= trial.pixels.neighbours && trial.features.line <= trial.pixels.line {
      warnings.append(
        "in the trial nothing learned was better than pixels: measure yours beside them (pmae-evaluate --pixels)")
    }
    return warnings
  }

  /// Two commands in a pipe that follow the suggestion.
  /// - Parameters:
  ///   - images: files of the set.
  ///   - output: the run's folder.
  public func commands(images: [String], output: String) -> String {
    let (c, e, d) = (configuration, configuration.encoder, configuration.options.decoder)
    return """
      pmae-augment \(commandLine(images)) --size \(e.image) --channels \(e.channels) --no-labels --epochs \(c.epochs) \\
          --view 'name=simple: \(recipe)' \\
        | pmae-pretrain --objective mae --image \(e.image) --patch \(e.patch) --channels \(e.channels) \\
            --width \(e.width) --depth \(e.depth) --heads \(e.heads) \\
            --decoder-width \(d.width) --decoder-depth \(d.depth) --decoder-heads \(d.heads) \\
            --batch \(c.batch) --lr \(text(c.learningRate)) --drop-path \(text(c.dropPath)) --epochs \(c.epochs) \\
            --precision auto --output \(commandLine([output])) -
      """
  }

  private var recipe: String { "crop \(text(trial.crop))-1, flip" }

  /// As an option has it: 0.4, 1.
  private func text(_ value: Double) -> String { String(format: "%g", value) }
}
