/// How operands are read.
public struct SourceOptions: Sendable {
  /// IDX files of labels, one for each IDX file of pictures, in order.
  public var labels: [String] = []
  /// The classes in their order; nil: as the sources have them.
  public var classNames: [String]?
  /// nil: labels that are all numbers are numbers, others are names.
  public var labelType: LabelType?
  /// What stands between the classes of a picture that has several; nil where each has one. Labels are names then.
  public var labelSeparator: String?
  /// A class folder without a picture is a class without a picture, and no error.
  public var allowsEmptyClasses = false
  /// Of CIFAR-100, the twenty coarse labels.
  public var coarseLabels = false
  /// Leaves labels out.
  public var unlabelled = false
  /// Takes pictures that belong to another beside them, as masks do.
  public var takesMasks = false
  /// A folder with a mask for each picture; nil where the set's layout says, or where masks lie beside pictures.
  public var masks: String?
  /// A file of the classes of masks, or their number. Without it masks come from layouts that say them, and from nowhere else.
  public var maskClasses: String?
  /// Numbers in masks that mean no class, beside 255.
  public var ignoredIds: [Int] = []
  /// Packs no masks.
  public var leavesMasksOut = false
  /// What `maskClasses` says.
  var maskTable: MaskTable?
  /// The part of a set: a folder's name, or what a list has in its column.
  public var split: String?
  public var root: String?
  public var pathColumn: String?
  public var labelColumn: String?
  /// Where what can be read only once is kept meanwhile.
  public var temporaryFolder = "/tmp"

  public init() {}

  /// Whether masks are files beside their pictures.
  var takesMasksBeside: Bool { maskTable != nil && masks == nil && !leavesMasksOut }
}
