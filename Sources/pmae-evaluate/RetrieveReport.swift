import CommandLineKit
import Evaluation
import Foundation
import Imaging
import Report
import Schemas
import TensorStream
import Training

/// The page of `retrieve --report`.
struct RetrieveReport {
  /// Of a query.
  static let neighbours = 6
  private static let most = 24

  let found: Retrieval
  let figures: [Evaluation.Figure]
  let level: Double
  let bank: FeatureMaker.Set
  let queries: FeatureMaker.Set
  let classes: [String]?
  let weights: WeightsFile?

  /// The queries that are shown, from all over the set.
  var queryRows: [Int] {
    let count = found.queries.count
    return (0..<min(Self.most, count)).map { $0 * count / min(Self.most, count) }
  }

  /// What was found for them.
  var bankRows: [Int] { queryRows.flatMap { nearest($0).map(\.row) } }

  private func nearest(_ query: Int) -> ArraySlice<(row: Int, similarity: Float)> {
    found.queries[query].neighbours.prefix(Self.neighbours)
  }

  func text(encoder: String, bankPictures: [Int: Picture], queryPictures: [Int: Picture]) throws -> String {
    var report = Report(
      title: "What \(encoder) finds in \(bank.name)", about: "pmae-evaluate retrieve, pmae \(pmaeVersion)")
    report.add(
      figures: figures, level: level,
      facts: [
        ("encoder", encoder), ("searched", "\(bank.name), \(bank.features.count) images"),
        ("queries", "\(queries.name), \(found.queries.count - found.unmatched) images"),
        ("queries of no class that is searched", "\(found.unmatched)"),
      ])
    func name(_ row: Int, of features: Features) -> String {
      features.names?.known(row) ?? "image \(features.index[row])"
    }
    func label(_ row: Int, of features: Features) -> String {
      ClassNames.text(features.labels[row], in: classes) ?? "-"
    }
    let rows = queryRows.map { query in
      [
        ReportPicture(
          queryPictures[query], name: name(query, of: queries.features),
          lines: ["query: \(label(query, of: queries.features))"])
      ]
        + nearest(query).map { neighbour in
          ReportPicture(
            bankPictures[neighbour.row], name: name(neighbour.row, of: bank.features),
            lines: [
              String(format: "%.3f", neighbour.similarity), label(neighbour.row, of: bank.features),
            ], isWrong: bank.features.labels[neighbour.row] != queries.features.labels[query])
        }
    }
    try report.add(
      rows: rows, title: "Nearest neighbours",
      about: "Queries from all over the set, each with the images that are most similar (cosine).")
    let inputs =
      (weights.map { [($0.source, $0.record.metadata)] } ?? []) + [
        (bank.name, bank.metadata), (queries.name, queries.metadata),
      ]
    report.addLineage(
      command: [toolName] + CommandLine.arguments.dropFirst(), inputs: inputs.map { (name: $0.0, metadata: $0.1) })
    return report.text
  }
}
