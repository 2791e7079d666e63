// What a source says of its pictures' classes, before it is known which pictures can be read.

import TensorStream

struct SourceLabels: Sendable {
  enum Kind: Sendable {
    /// What each picture's label says, a number or a name. There is a class where there is a picture of it.
    case said
    /// The folder that each picture is in, by its name alone. A folder without a picture is a class without a picture.
    case folders
    /// The folders on the way to each picture, whose common beginning says nothing.
    case paths
    /// Class numbers, and the classes' names.
    case fixed([String])
  }

  var kind: Kind
  var table = LabelTable()
  /// Where they come from, as in `labels from …`.
  var origin = ""
  /// Where there are none: what is nearest to labels, and what to do to have them.
  var absence = ""
  /// Notes on how pictures were told from other files, each a sentence.
  var notes: [String] = []
  /// What `--class-names` holds for this source alone: Oxford's Pets, whose list numbers its names.
  var order: [String]?

  init(_ kind: Kind, origin: String = "", absence: String = "") {
    self.kind = kind
    self.origin = origin
    self.absence = absence
  }

  /// None, and why.
  static func none(_ absence: String) -> SourceLabels { SourceLabels(.said, absence: absence) }

  var hasLabels: Bool { if case .fixed = kind { true } else { table.hasLabels } }
}
