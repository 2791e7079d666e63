import Foundation
import TensorStream
import Testing

/// Damages streams in every way that we can think of, over 20,000 of them, from a fixed seed. Each must be refused with
/// `Failure(.data)`, or read exactly as it was: a dozen bits of a compressed block mean nothing to zstd.
@Suite(.timeLimit(.minutes(5))) struct MutationTests {
  private struct Sample {
    let file: [UInt8]
    /// Where the frames end and the seek table starts.
    let framesEnd: Int
    let content: [Content]

    init(_ file: [UInt8]) throws {
      self.file = file
      framesEnd = try frameEnds(file).last ?? 0
      content = try readPipe(file)
    }
  }

  private static func samples(_ scratch: Scratch) throws -> [Sample] {
    let many = scratch.file("many.stz")
    try writeSample(many)
    let one = scratch.file("one.stz")
    try StreamWriter.writeOneRecord(
      path: one, kind: "weights", metadata: ["config": "{\"width\":3}"], tensors: sampleTensors(rows: 0..<40))
    let images = scratch.file("images.stz")
    let writer = try StreamWriter(path: images, kind: "images", metadata: ["classes": "[\"a\",\"b\"]"])
    for i in 0..<3 {
      let pixels = (0..<2 * 8 * 8).map { UInt8(($0 * $0 / 7 + i) % 256) }
      try writer.write([
        ("image.bytes", StoredTensor(pixels, shape: [128])),
        ("image.offsets", StoredTensor([0, 50, 128] as [Int64], shape: [3])),
        ("label", StoredTensor([0, 1] as [Int32], shape: [2])),
      ])
    }
    try writer.finish()
    return try [many, one, images, fixture("features.stz"), fixture("pixels.stz")].map {
      try Sample(bytes(ofFile: $0))
    }
  }

  /// True where the bytes were refused, false where they read as `content`; anything else is an issue.
  private func isRefused(_ bytes: [UInt8], _ content: [Content], _ what: @autoclosure () -> String) throws -> Bool {
    do {
      let found = try readPipe(bytes)
      #expect(found == content, "read something else after \(what())")
      return false
    } catch let failure as Failure {
      #expect(failure.kind == .data, "\(failure) after \(what())")
      return true
    }
  }

  private func isRefusedIndexed(_ path: String, _ content: [Content], _ what: @autoclosure () -> String) throws -> Bool
  {
    do {
      let found = try contents(IndexedStream(path: path))
      #expect(found == content, "read something else from a file after \(what())")
      return false
    } catch let failure as Failure {
      #expect(failure.kind == .data, "\(failure) after \(what())")
      return true
    }
  }

  @Test func everyFlippedBitIsFoundOrMeansNothing() throws {
    let scratch = try Scratch()
    var flipped = 0
    var harmless = 0
    for sample in try Self.samples(scratch) {
      for bit in 0..<sample.file.count * 8 {
        var bytes = sample.file
        bytes[bit / 8] ^= 1 << UInt8(bit % 8)
        flipped += 1
        if try !isRefused(bytes, sample.content, "flipping bit \(bit % 8) of byte \(bit / 8)") {
          harmless += 1
          #expect(bit < sample.framesEnd * 8, "a flipped bit of the seek table went unnoticed")
        }
      }
    }
    #expect(flipped > 10_000)
    #expect(harmless * 100 < flipped, "\(harmless) of \(flipped)")
  }

  @Test func everyDamageIsFoundOrMeansNothing() throws {
    let scratch = try Scratch()
    let samples = try Self.samples(scratch)
    let path = scratch.file("damaged.stz")
    var random = SplitMix(state: 2024)
    var refused = 0
    let rounds = 16_000
    for i in 0..<rounds {
      let sample = samples[i % samples.count]
      var bytes = sample.file
      var what = "\(i):"
      // Two changes of whole records could make another good stream.
      let changes = Int.random(in: 0..<4, using: &random) == 0 ? 2 : 1
      for _ in 0..<changes {
        let donor = samples.randomElement(using: &random)!.file
        let change = Change.random(bytes, donor: donor, ofRecords: changes == 1, &random)
        bytes = change.bytes
        what += " " + change.name
      }
      if bytes == sample.file { continue }
      if try isRefused(bytes, sample.content, what) { refused += 1 }
      if i % 2 == 0 {
        try save(bytes, path)
        _ = try isRefusedIndexed(path, sample.content, what)
      }
    }
    #expect(refused > rounds * 95 / 100, "\(refused)")
  }

  /// Headers damaged before they were compressed, so that every checksum is right and the parser has to notice.
  @Test func everyDamagedHeaderIsRefusedOrConsistent() throws {
    var random = SplitMix(state: 7)
    let first = frame(document(#"{"__metadata__":{"stream":"1","kind":"features"}}"#))
    let end = frame(document(#"{"__metadata__":{"end":"2","rows":"[2]"}}"#))
    let header =
      #"{"__metadata__":{"note":"a\u00e9\n"},"a":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]},"#
      + #""b":{"dtype":"I16","shape":[2,1,1],"data_offsets":[16,20]},"c":{"dtype":"U8","shape":[2],"data_offsets":[20,22]}}"#
    let data = (0..<22).map { UInt8($0) }
    var refused = 0
    let rounds = 12_000
    for i in 0..<rounds {
      var text = Array(header.utf8)
      for _ in 0..<Int.random(in: 1...2, using: &random) { text = Change.header(text, &random) }
      var length = UInt64(text.count)
      if i % 50 == 0 {
        length = [0, 1, length - 1, length + 1, 1 << 32, .max, .random(in: 0...(.max), using: &random)].randomElement(
          using: &random)!
      }
      let bytes = first + frame(littleEndian(length) + text + data) + end
      do {
        let records = try readPipe(bytes)
        #expect(records.count == 2)
        // What was accepted covers the data, every byte of it readable.
        #expect(records[1].tensors.map(\.bytes.count).reduce(0, +) == data.count)
        #expect(records[1].tensors.flatMap(\.bytes) == data)
        #expect(records[1].tensors.allSatisfy { $0.shape.first == 2 })
      } catch let failure as Failure {
        #expect(failure.kind == .data, "\(failure) at \(i)")
        refused += 1
      }
    }
    #expect(refused > rounds / 2)
  }

  @Test func damagedSafetensorsFilesAreRefusedOrConsistent() throws {
    let scratch = try Scratch()
    let path = scratch.file("a.safetensors")
    let file = try bytes(ofFile: fixture("weights.safetensors"))
    var random = SplitMix(state: 9)
    for _ in 0..<3_000 {
      let change = Change.random(file, donor: file, ofRecords: false, &random)
      try save(change.bytes, path)
      do {
        let record = try readTensors(path: path)
        let total = record.tensors.map { $0.tensor.withUnsafeBytes { $0.reduce(0) { $0 + Int($1) } } }.reduce(0, +)
        #expect(total >= 0)
      } catch let failure as Failure {
        #expect(failure.kind == .data, "\(failure) after \(change.name)")
      }
    }
  }
}

/// One way to damage bytes.
private struct Change {
  var name: String
  var bytes: [UInt8]

  static func random(_ original: [UInt8], donor: [UInt8], ofRecords: Bool, _ random: inout SplitMix) -> Change {
    var bytes = original
    let at = Int.random(in: 0..<max(bytes.count, 1), using: &random)
    let length = Int.random(in: 1...40, using: &random)
    let noise = (0..<length).map { _ in UInt8.random(in: 0...255, using: &random) }
    guard !bytes.isEmpty else { return Change(name: "filling", bytes: noise) }
    let end = min(at + length, bytes.count)
    switch Int.random(in: 0..<(ofRecords ? 8 : 7), using: &random) {
    case 0:
      bytes[at] = [0x00, 0xFF, 0x80, 0x7F, 0x01].randomElement(using: &random)!
      return Change(name: "setting byte \(at)", bytes: bytes)
    case 1: return Change(name: "cutting at \(at)", bytes: Array(bytes[..<at]))
    case 2:
      bytes.insert(contentsOf: noise, at: at)
      return Change(name: "inserting \(length) at \(at)", bytes: bytes)
    case 3:
      bytes.removeSubrange(at..<end)
      return Change(name: "removing \(at)..<\(end)", bytes: bytes)
    case 4:
      bytes.replaceSubrange(at..<end, with: noise.prefix(end - at))
      return Change(name: "overwriting \(at)..<\(end)", bytes: bytes)
    case 5:
      let from = Int.random(in: 0..<donor.count, using: &random)
      let until = Int.random(in: from...donor.count, using: &random)
      bytes.replaceSubrange(at..<end, with: donor[from..<until])
      return Change(name: "splicing \(from)..<\(until) in at \(at)", bytes: bytes)
    case 6:
      // A size that is absurd, wherever it may land: on frame headers, block headers, the seek table.
      let size = [1 << 60, 1 << 40, UInt64.max, 1 << 31, 0].randomElement(using: &random)!
      bytes.replaceSubrange(at..<min(at + 8, bytes.count), with: littleEndian(size).prefix(bytes.count - at))
      return Change(name: "claiming \(size) at \(at)", bytes: bytes)
    default:
      // Whole frames lost, doubled or exchanged.
      let starts = bytes.indices.dropLast(3).filter { bytes[$0...].starts(with: [0x28, 0xB5, 0x2F, 0xFD]) }
      guard starts.count > 1 else { return Change(name: "doubling", bytes: bytes + bytes) }
      let i = Int.random(in: 0..<starts.count, using: &random)
      let range = starts[i]..<(i + 1 < starts.count ? starts[i + 1] : bytes.count)
      if Bool.random(using: &random) {
        bytes.removeSubrange(range)
        return Change(name: "losing frame \(i)", bytes: bytes)
      }
      bytes.insert(contentsOf: bytes[range], at: starts.randomElement(using: &random)!)
      return Change(name: "doubling frame \(i)", bytes: bytes)
    }
  }

  /// Damages JSON where it hurts: in numbers, in punctuation, in names.
  static func header(_ original: [UInt8], _ random: inout SplitMix) -> [UInt8] {
    var text = original
    let at = Int.random(in: 0..<max(text.count, 1), using: &random)
    guard !text.isEmpty else { return Array("{}".utf8) }
    switch Int.random(in: 0..<7, using: &random) {
    case 0: text[at] ^= 1 << UInt8.random(in: 0..<8, using: &random)
    case 1: text.remove(at: at)
    case 2: text.insert(Array("{}[]\",:0129-.e\\u \u{0}\u{80}".utf8).randomElement(using: &random)!, at: at)
    case 3:
      let digits = text.indices.filter { (0x30...0x39).contains(text[$0]) }
      guard let digit = digits.randomElement(using: &random) else { break }
      let numbers = [
        "-1", "0", "1", "3", "18446744073709551615", "9223372036854775807", "9223372036854775808",
        "4611686018427387904",
        "4294967296", "1e9", "0.5", "00", "1152921504606846976",
      ]
      text.replaceSubrange(digit...digit, with: numbers.randomElement(using: &random)!.utf8)
    case 4:
      let from = Int.random(in: 0..<text.count, using: &random)
      let length = Int.random(in: 0...min(60, text.count - from), using: &random)
      text.insert(contentsOf: text[from..<from + length], at: at)
    case 5:
      let names = [
        "\"a\"", "\"b\"", "\"dtype\"", "\"shape\"", "\"F32\"", "\"U8\"", "\"I64\"", "\"BOOL\"", "null", "[]", "{}",
      ]
      let quotes = text.indices.filter { text[$0] == UInt8(ascii: "\"") }
      guard quotes.count > 1 else { break }
      let i = Int.random(in: 0..<quotes.count - 1, using: &random)
      text.replaceSubrange(quotes[i]...quotes[i + 1], with: names.randomElement(using: &random)!.utf8)
    default: text.removeSubrange(at..<min(at + Int.random(in: 1...30, using: &random), text.count))
    }
    return text
  }
}
