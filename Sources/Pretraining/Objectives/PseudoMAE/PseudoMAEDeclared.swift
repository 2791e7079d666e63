import Compute
import Networks
import Training

/// Some images as Pseudo MAE computes them at once: a batch, or one of the equal parts in which it is computed to save memory.
public struct PseudoMAEImages {
  public let simple: ImageBatch
  /// The view that labels are made from; nil where no label is wanted.
  public let complex: ImageBatch?
  public let masks: Masks
  /// For drop path; nil where nothing is ever dropped.
  public let keeps: [BranchKeep]?

  public init(simple: ImageBatch, complex: ImageBatch?, masks: Masks, keeps: [BranchKeep]?) {
    self.simple = simple
    self.complex = complex
    self.masks = masks
    self.keeps = keeps
  }
}

// What Pseudo MAE declares to those who feed, draw, watch and export it.
extension PseudoMAE {
  public static let encoders = [
    EncoderPart("student"), EncoderPart("labelling-teacher"), EncoderPart("reconstruction-teacher"),
  ]

  public static let figures =
    [
      FigureDeclaration("label_momentum", panel: "momenta"),
      FigureDeclaration("reconstruction_momentum", panel: "momenta"),
    ]
    + ["entropy_c", "entropy_p"].map {
      FigureDeclaration($0, panel: "label entropy (1: all prototypes alike)", isShare: true, collapse: .lowOrFull)
    }
    + ["used_c", "used_p"].map {
      FigureDeclaration($0, panel: "share of prototypes in use", isShare: true, collapse: .low)
    } + [
      FigureDeclaration("cosine_teacher", panel: "cosine of teacher and student"),
      FigureDeclaration("label_weight", panel: "weight of the label losses", isShare: true, isOptional: true),
      FigureDeclaration("teacher_temperature", panel: "temperature of the labels", isOptional: true),
    ]

  public static func views(_ c: Configuration<PseudoMAEOptions>) -> [ViewNeed] {
    let simple = ViewNeed("simple", side: c.encoder.image)
    if c.options.labelView == .simple { return [simple] }
    // With weights of 0, labels are made only for their figures. A stream without the view is then enough.
    let isIdle = c.options.lambdaC == 0 && c.options.lambdaP == 0
    return [simple, ViewNeed("complex", side: c.encoder.image, isOptional: isIdle)]
  }

  public static func approximateWeights(_ c: Configuration<PseudoMAEOptions>) -> Double {
    let pixels = c.options.lambdaPixels > 0 ? Double((c.encoder.width + 1) * c.encoder.patchValues) : 0
    return c.options.decoder.approximateWeights(output: c.encoder.width) + c.options.head.approximateWeights + pixels
  }

  public func draw(for rows: BatchRows) throws -> PseudoMAEImages {
    let (c, o) = (configuration, options)
    let simple = rows.images("simple")
    let patches = c.encoder.patches
    return PseudoMAEImages(
      simple: simple, complex: o.labelView == .simple ? simple : rows.has("complex") ? rows.images("complex") : nil,
      masks: try rows.masks(patches: patches, visible: o.visible(of: patches)),
      keeps: student.drawKeeps(rows.random(.dropPath)))
  }

  public func look(at images: PseudoMAEImages) -> [LookPanel] {
    let (o, masks) = (options, images.masks)
    var panels = [
      LookPanel.groups(
        title: "mask, \(o.labelFolds) folds", of: masks.groups(folds: o.labelFolds), rest: o.labelFolds)
    ]
    if let matches = matches(of: images) {
      let count = masks.foldedCount(o.labelFolds)
      let patches = masks.masked(count)
      panels.append(
        .matches(
          title: "matched to", placesTitle: "\(o.labelView.rawValue): places", placesView: o.labelView.rawValue,
          pairs: (0..<masks.sequences).map { image in
            (image * count..<(image + 1) * count).map { (Int(patches[$0]), Int(matches[$0])) }
          }))
    }
    return panels
  }
}
