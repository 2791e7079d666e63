/// What every library of this package throws: a message for the person who ran the tool, and what kind of trouble it is.
///
/// A tool prints `pmae-verb: message` and exits with `kind.rawValue`, so the message names the file, the record, what was
/// expected and what was found, and nothing else needs to be added.
public struct Failure: Error, CustomStringConvertible, Sendable {
  /// The kind of trouble; the raw value is the exit status (those of `sysexits.h`; 141 is what a shell reports for SIGPIPE).
  public enum Kind: Int32, Sendable {
    /// The command line asks for something that cannot be done.
    case usage = 64
    /// An input is damaged, cut short, or not what it should be.
    case data = 65
    /// An input is missing or cannot be opened.
    case noInput = 66
    /// A mistake in this package.
    case software = 70
    /// An output cannot be created, or is there already.
    case cannotCreate = 73
    /// Reading or writing failed underway: a full disk, a broken device, no memory.
    case io = 74
    /// The reader of our output has gone.
    case brokenPipe = 141
  }

  public let kind: Kind
  public let message: String
  public var description: String { message }

  public init(_ kind: Kind, _ message: String) {
    self.kind = kind
    self.message = message
  }
}

/// What is wrong with some bytes, found by code that does not know their file and record. A caller that knows them
/// turns it into a `Failure`.
package enum Damage: Error, Sendable {
  /// The bytes break the format: what was expected, and what was found.
  case malformed(String)
  /// The input ends where more bytes have to come.
  case inputEnds
}

/// `1280` as `1,280`, for messages.
package func grouped(_ number: some BinaryInteger) -> String {
  let digits = String(number.magnitude)
  var result = number < 0 ? "-" : ""
  for (i, digit) in digits.enumerated() {
    if i > 0, (digits.count - i) % 3 == 0 { result.append(",") }
    result.append(digit)
  }
  return result
}

/// `1 row`, `1,280 rows`, `2 classes`.
package func counted(_ number: Int, _ noun: String) -> String {
  "\(grouped(number)) \(noun)\(number == 1 ? "" : noun.hasSuffix("s") ? "es" : "s")"
}
