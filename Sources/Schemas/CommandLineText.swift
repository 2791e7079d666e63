import Foundation

/// A command line that a shell would read back as these arguments.
public func commandLine(_ words: [String]) -> String {
  words.map { word in
    let plain = !word.isEmpty && word.unicodeScalars.allSatisfy { quotable.contains($0) }
    return plain ? word : "'" + word.replacingOccurrences(of: "'", with: "'\\''") + "'"
  }.joined(separator: " ")
}

private let quotable = CharacterSet.alphanumerics.union(CharacterSet(charactersIn: "-_./,:=@%+"))
