// Pictures read, checked and measured on all threads, and handed out in their order.

import Parallel
import TensorStream

/// How pictures are made smaller: the short side in pixels, and the JPEG quality, 1 to 100.
public struct Shrinking: Sendable {
  public let shortSide: Int
  public let quality: Int

  public init(shortSide: Int, quality: Int) {
    self.shortSide = shortSide
    self.quality = quality
  }
}

/// The chosen pictures of a set. One thread takes them, and the pool's threads prepare some at a time. So memory holds
/// a few dozen, however large the set is.
final class PictureFeed {
  /// A picture as it will be stored, and what decoding it told.
  struct Checked: Sendable {
    let bytes: [UInt8]
    let height: Int
    let width: Int
    /// Height and width as the source's file has them, and how it is turned.
    let stored: (height: Int, width: Int)
    let orientation: Orientation
    let statistics: PixelStatistics
    /// Whether the file itself says that it is grey.
    let isGrey: Bool
    /// A PNG file of class ids; nil for pictures without masks.
    var mask: [UInt8]?
  }

  enum Outcome: Sendable {
    case good(Checked)
    /// It cannot be read or is damaged; the others can be.
    case bad(Failure)
    /// No other picture can be read either.
    case fatal(any Error)
  }

  /// How many of the chosen were taken.
  private(set) var position = 0
  let chosen: [Int]
  let several = SeveralPictures()
  private let set: PictureSet
  private let shrinking: Shrinking?
  /// 1: colours become grey before they are measured.
  private let channels: Int
  private let pool: ThreadPool
  private let workers: [Worker]
  /// What was prepared, from the picture at `position` on, the last first.
  private var ready: [Outcome] = []

  /// One thread's memory.
  private final class Worker {
    let memory = Scratch<UInt8>()
    let decoder = PictureDecoder()
    let masks = MaskMaker()
    let maskMemory = Scratch<UInt8>()
  }

  init(_ set: PictureSet, chosen: [Int], shrinking: Shrinking?, channels: Int, pool: ThreadPool) {
    self.channels = channels
    self.set = set
    self.chosen = chosen
    self.shrinking = shrinking
    self.pool = pool
    workers = (0..<pool.threads).map { _ in Worker() }
  }

  /// The next picture, without taking it; nil at the end.
  func peek() -> Outcome? {
    if ready.isEmpty { prepare() }
    return ready.last
  }

  func advance() {
    ready.removeLast()
    position += 1
  }

  /// Leaves out all before this place.
  func skip(to place: Int) {
    ready = []
    position = place
  }

  private func prepare() {
    let end = min(position + 16 * pool.threads, chosen.count)
    let part = chosen[position..<end]
    var outcomes = [Outcome?](repeating: nil, count: part.count)
    outcomes.withUnsafeMutableBufferPointer { outcomes in
      pool.run(part.count) { task, worker in
        outcomes[task] = outcome(part[part.startIndex + task], workers[worker])
      }
    }
    ready = outcomes.reversed().map { $0! }
  }

  private func outcome(_ index: Int, _ worker: Worker) -> Outcome {
    do {
      return .good(try check(index, worker))
    } catch let failure as Failure where failure.kind == .data || failure.kind == .noInput {
      return .bad(failure)
    } catch {
      return .fatal(error)
    }
  }

  private func check(_ index: Int, _ worker: Worker) throws -> Checked {
    var checked = try picture(index, worker)
    if set.masks != nil { checked.mask = try mask(index, for: checked, worker) }
    return checked
  }

  /// The mask of a picture, whose file is still in the worker's memory.
  private func mask(_ index: Int, for picture: Checked, _ worker: Worker) throws -> [UInt8] {
    let (name, bytes, table) = try set.mask(index, memory: worker.maskMemory)
    let frame = MaskMaker.Frame(
      stored: picture.stored, orientation: picture.orientation, target: (picture.height, picture.width),
      name: set.path(index))
    return try worker.masks.make(bytes, name: name, table: table, for: frame)
  }

  private func picture(_ index: Int, _ worker: Worker) throws -> Checked {
    if set.classes != nil, set.label(index) < 0 {
      throw Failure(.data, try stillBad(index, worker))
    }
    let bytes = try set.bytes(index, memory: worker.memory)
    if let shape = set.pixelShape {
      var statistics = PixelStatistics(channels: shape.channels)
      statistics.add(bytes.bindMemory(to: UInt8.self).baseAddress!, pixels: shape.height * shape.width)
      return Checked(
        bytes: Array(bytes), height: shape.height, width: shape.width, stored: (shape.height, shape.width),
        orientation: .upright, statistics: statistics, isGrey: shape.channels == 1)
    }
    let name = set.path(index)
    several.look(at: bytes, index: index, name: name)
    let header = try ImageFile.StoredHeader(bytes, name: name)
    if let shrinking,
      let smaller = try worker.decoder.shrunk(
        bytes, shortSide: shrinking.shortSide, quality: shrinking.quality, name: name)
    {
      // Measured as it will be read again.
      return try smaller.withUnsafeBytes { try measured($0, stored: smaller, header, worker, name: name) }
    }
    return try measured(bytes, stored: Array(bytes), header, worker, name: name)
  }

  /// Why a picture without a class is left out. It could not be read when the classes were settled.
  private func stillBad(_ index: Int, _ worker: Worker) throws -> String {
    let name = set.path(index)
    let bytes = try set.bytes(index, memory: worker.memory)
    _ = try worker.decoder.decode(bytes, name: name)
    return "\(name): could not be read before, and has no class: changed while being packed"
  }

  /// - Parameter header: of the file as the source has it.
  private func measured(
    _ bytes: UnsafeRawBufferPointer, stored: [UInt8], _ header: ImageFile.StoredHeader, _ worker: Worker, name: String
  ) throws -> Checked {
    let decoded = try worker.decoder.decode(bytes, name: name)
    let pixels = channels == 1 ? decoded.greyInPlace() : decoded
    var statistics = PixelStatistics(channels: channels)
    statistics.add(pixels.base, pixels: pixels.height * pixels.width)
    return Checked(
      bytes: stored, height: pixels.height, width: pixels.width, stored: (header.height, header.width),
      orientation: header.orientation, statistics: statistics,
      isGrey: try ImageFile.header(bytes, name: name).channels == 1)
  }
}
