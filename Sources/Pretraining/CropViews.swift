import Compute
import Networks
import Training

/// Two large views of some images, and any number of small ones, with the branches that drop path keeps. B images, L small views.
struct CropViews {
  /// The two views one after the other: 2·B images.
  let global: ImageBatch
  let globalKeeps: [BranchKeep]?
  /// The small ones, view after view: L·B images; nil where there are none.
  let local: ImageBatch?
  let localKeeps: [BranchKeep]?
  /// B.
  let images: Int
  /// L.
  let locals: Int

  /// `global_1`, `global_2`, and as many of `local_1`, `local_2`, … as the stream has.
  static func needs(_ c: EncoderConfiguration) -> [ViewNeed] {
    ["global_1", "global_2"].map { ViewNeed($0, side: c.image) } + [.family("local", patch: c.patch)]
  }

  init(_ rows: BatchRows, student: Encoder) {
    let small = rows.family("local")
    func keeps(_ views: Range<Int>) -> [BranchKeep]? {
      student.drawKeeps(views.flatMap { rows.random(.dropPath, view: $0) })
    }
    global = ImageBatch(joining: ["global_1", "global_2"].map { rows.images($0) })
    globalKeeps = keeps(0..<2)
    local = small.isEmpty ? nil : ImageBatch(joining: small)
    localKeeps = small.isEmpty ? nil : keeps(2..<2 + small.count)
    (images, locals) = (rows.count, small.count)
  }
}
