import TensorStream

/// What a `views` stream says of itself: how it was made, and how many rows it has.
public struct ViewsHeader: Equatable, Sendable {
  /// One view of every row.
  public struct Recipe: Equatable, Sendable {
    /// The name of its tensor, u8 [n, size, size, channels].
    public var name: String
    /// The line of text that it is made by; nil where the writer did not say.
    public var line: String?
    /// What the columns of `NAME.parameters` mean, f32 [n, columns].
    public var columns: [String]

    public init(name: String, line: String? = nil, columns: [String] = []) {
      (self.name, self.line, self.columns) = (name, line, columns)
    }
  }

  public var recipes: [Recipe]
  /// The side of a view in pixels; nil where the writer did not say.
  public var size: Int?
  public var epochs: Int
  public var rowsPerEpoch: Int
  public var firstEpoch = 0
  /// The row of the first epoch at which the stream begins: a run that goes on has had those before it.
  public var firstRow = 0
  /// The part of every batch that the stream holds; nil for all rows.
  public var part: ViewPart?
  /// What the draws and the order come from; nil where the writer did not say.
  public var seed: UInt64?
  /// How the rows of an epoch follow each other: a word of the writer's, the same for the same order.
  public var order: String?
  public var classes: [String]?
  /// Of the masks `NAME.mask` of recipes; nil for views without masks.
  public var masks: MaskClasses?
  /// What stands between the classes in a label's name; nil where a row has one class.
  public var labelSeparator: String?
  /// Of the images that the views were made from; nil where the writer did not say.
  public var normalisation: Normalisation?

  public init(recipes: [Recipe], epochs: Int, rowsPerEpoch: Int) {
    (self.recipes, self.epochs, self.rowsPerEpoch) = (recipes, epochs, rowsPerEpoch)
  }

  /// - Throws: `Failure(.data)` naming the file and the key that is missing, of another type, or that cannot be.
  public init(_ record: Record, source: String) throws {
    let fields = MetadataFields(record, source: source)
    recipes = try (fields.value("recipes", [String].self) ?? []).map { name in
      Recipe(
        name: name, line: fields.text("\(name).recipe"), columns: try fields.value("\(name).columns") ?? [])
    }
    size = try fields.value("size")
    epochs = try fields.required("epochs", of: "the views have")
    rowsPerEpoch = try fields.required("rows_per_epoch", of: "the views have")
    firstEpoch = try fields.value("first_epoch") ?? 0
    firstRow = try fields.value("first_row") ?? 0
    part = try fields.text("part").map { text in
      let batch = try fields.required("batch", of: "a part of views has") as Int
      guard let part = ViewPart(text, batch: batch) else {
        throw Failure(.data, "\(source): part \(quoted(text)) of batches of \(batch) cannot be")
      }
      return part
    }
    seed = try fields.value("seed")
    order = fields.text("order")
    classes = try fields.value(MetadataKey.classes)
    masks = try MaskClasses.of(record, source: source)
    labelSeparator = fields.text(MetadataKey.labelSeparator)
    if labelSeparator == "" { throw Failure(.data, "\(source): metadata \"label_separator\" is empty") }
    normalisation = try Normalisation(of: record, source: source)
    let plausible = 0..<1 << 31
    guard plausible.contains(epochs), plausible.contains(firstEpoch), plausible.contains(rowsPerEpoch) else {
      throw Failure(.data, "\(source): epochs \(epochs) of \(rowsPerEpoch) rows from \(firstEpoch) cannot be")
    }
    guard (0...rowsPerEpoch).contains(firstRow) else {
      throw Failure(.data, "\(source): begins at row \(firstRow) of epochs of \(rowsPerEpoch) rows")
    }
    if rowsPerEpoch == 0 || epochs == 0 { throw Failure(.data, "\(source): holds no rows") }
  }

  /// The sets of classes that labels stand for; nil where a row has one class.
  public var labelSets: LabelSets? {
    labelSeparator.map { LabelSets(labels: classes ?? [], separator: $0) }
  }

  /// The first record's metadata, provenance aside.
  public func metadata() throws -> [String: String] {
    var metadata = [
      "recipes": try JSONText.encode(recipes.map(\.name)), "epochs": String(epochs), "first_epoch": String(firstEpoch),
      "rows_per_epoch": String(rowsPerEpoch),
    ]
    metadata["size"] = size.map(String.init)
    metadata["seed"] = seed.map(String.init)
    metadata["order"] = order
    metadata[MetadataKey.labelSeparator] = labelSeparator
    if firstRow > 0 { metadata["first_row"] = String(firstRow) }
    if let part { (metadata["part"], metadata["batch"]) = (part.text, String(part.batch)) }
    for recipe in recipes {
      if !recipe.columns.isEmpty { metadata["\(recipe.name).columns"] = try JSONText.encode(recipe.columns) }
      metadata["\(recipe.name).recipe"] = recipe.line
    }
    metadata.merge(try ClassNames.metadata(classes)) { $1 }
    metadata.merge(try MaskClasses.metadata(masks)) { $1 }
    metadata.merge(try normalisation?.metadata() ?? [:]) { $1 }
    return metadata
  }

  /// What decides the rows of an epoch, by the names that a message uses. A run that goes on must find the same values,
  /// or it would end in other bits.
  /// - Parameter used: the recipes that the run reads.
  public func identity(recipes used: [String]) throws -> [String: String] {
    var identity = ["rows_per_epoch": String(rowsPerEpoch)]
    identity["seed"] = seed.map(String.init)
    identity["order"] = order
    if let normalisation {
      identity.merge(try normalisation.metadata()) { $1 }
    }
    for recipe in recipes where used.contains(recipe.name) { identity["recipe \(recipe.name)"] = recipe.line }
    return identity
  }
}

/// The names of a views record's tensors, beside the recipes' own and `Targets`.
public enum ViewTensors {
  /// Each row's number in the set of images: i64 [n].
  public static let index = "index"
  /// The order in which patches are masked: i32 [n, patches].
  public static let shuffle = "shuffle"
  /// What was drawn for each row of a recipe: f32 [n, columns].
  public static func parameters(of recipe: String) -> String { "\(recipe).parameters" }
  /// What no recipe can be called: other tensors of a record have these names. The last two are draws that a stream may
  /// bring for an objective.
  public static let taken = [index, Targets.label, MaskTensors.size, shuffle, "mask", "ids"]
}
