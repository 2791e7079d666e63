// --from and --resume: the rest of a stream.

import ArgumentParser
import Foundation
import Runs
import Schemas
import TensorStream

/// A place in a views stream, written as EPOCH:ROW, both counted from 0.
struct StreamPlace: ExpressibleByArgument, Equatable {
  var epoch: Int
  var row: Int

  init(epoch: Int, row: Int) { (self.epoch, self.row) = (epoch, row) }

  init?(argument: String) {
    let parts = argument.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count == 2, let epoch = Int(parts[0]), let row = Int(parts[1]), epoch >= 0, row >= 0 else { return nil }
    self.init(epoch: epoch, row: row)
  }
}

extension AugmentTool {
  /// Where the stream begins, in a set of so many rows.
  func firstPlace(rows: Int) throws -> StreamPlace {
    if let from {
      if from.row > rows { throw Failure(.usage, "--from is at row \(from.row): an epoch has \(grouped(rows))") }
      return from
    }
    guard let resume else { return StreamPlace(epoch: firstEpoch, row: 0) }
    // A run that was killed before its first checkpoint begins again. A run whose newest checkpoint is damaged goes on
    // from the one before, as pmae-pretrain --resume does, and that tool says so.
    guard let checkpoint = try RunFolder(resume).newestCheckpoint(onDamage: { _ in }) else {
      return StreamPlace(epoch: firstEpoch, row: 0)
    }
    let path = checkpoint.path
    struct Run: Decodable { let batch: Int }
    let run = try JSONText.decode(Run.self, from: checkpoint.header.config, what: "\(path): metadata \"config\"")
    if let theirs = checkpoint.header.rowsPerEpoch, theirs != rows {
      throw Failure(.data, "\(path): is of epochs of \(grouped(theirs)) pictures, but there are \(grouped(rows))")
    }
    let found = try EpochSteps(rows: rows, batch: run.batch, source: path).place(ofStep: checkpoint.steps)
    let place = StreamPlace(epoch: found.epoch, row: found.row)
    // Nothing but the stream's end is left for a run that has taken all steps.
    if place.epoch == firstEpoch + epochs && place.row == 0 { return StreamPlace(epoch: place.epoch - 1, row: rows) }
    guard (firstEpoch..<(firstEpoch + epochs)).contains(place.epoch) else {
      throw Failure(
        .data,
        "\(path): the run goes on in epoch \(place.epoch): expected \(firstEpoch) to \(firstEpoch + epochs - 1), of --first-epoch and --epochs"
      )
    }
    return place
  }
}
