import Networks

/// Images that are computed at once, and what was drawn for them: a batch, or one of the equal parts in which it is
/// computed to save memory.
public struct MicroBatch {
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
