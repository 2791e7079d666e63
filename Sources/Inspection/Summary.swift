// The default output: a headline, the metadata, the tensors.

import CommandLineKit
import Foundation
import Schemas
import TensorStream

/// What is in a file, for a person.
public func summary(_ contents: Contents) -> String {
  var lines = [headline(contents)]
  // Said in the headline, or of no use to a person.
  let told = Set(["stream", "kind", "end", "rows"] + ProvenanceStep.keys)
  if let step = ProvenanceStep(metadata: contents.metadata) {
    lines += table([("made by", step.command)], indent: 2)
    let inputs = step.inputs.map { $0.title }
    if !inputs.isEmpty { lines += table([("made from", inputs.joined(separator: "; "))], indent: 2) }
  }
  let metadata = contents.metadata.filter { !told.contains($0.key) }.sorted { $0.key < $1.key }
  lines += table(metadata.flatMap { rows(key: $0.key, value: $0.value) }, indent: 2)
  if !contents.tensors.isEmpty {
    lines.append("  tensors")
    let names = contents.tensors.map { printable($0.name) }
    let width = min(48, names.map(\.count).max() ?? 0)
    for (name, tensor) in zip(names, contents.tensors) {
      let type = tensor.type.rawValue.padding(toLength: 5, withPad: " ", startingAt: 0)
      lines.append("    \(padded(name, width))  \(type) \(shapeText(tensor.shape))")
    }
  }
  return lines.joined(separator: "\n") + "\n"
}

private func headline(_ contents: Contents) -> String {
  var parts = [contents.isStream ? contents.kind ?? "no kind" : "safetensors"]
  if !contents.isStream, let kind = contents.kind { parts[0] += " (\(kind))" }
  if contents.hasRows {
    parts.append(contents.rowsInRecords)
  } else {
    let numbers = contents.tensors.reduce(0) { $0 + $1.shape.reduce(1) { $0 * ($1 ?? 0) } }
    parts.append("\(counted(contents.tensors.count, "tensor")), \(counted(numbers, "number"))")
  }
  if let byteCount = contents.byteCount { parts.append(sizeText(byteCount)) }
  return printable("\(contents.name): \(parts.joined(separator: ", "))")
}

/// One line for a value; for a dictionary, one for each of its keys.
private func rows(key: String, value: String) -> [(String, String)] {
  switch parsed(value) {
  case let dictionary as [String: Any]:
    return dictionary.sorted { $0.key < $1.key }.map { ("\(key).\($0.key)", oneLine($0.value)) }
  case let list as [Any]:
    return [(key, oneLine(list))]
  default:
    // A plain number or string is its own best form: "0.10" stays "0.10".
    return [(key, value)]
  }
}

private func table(_ rows: [(String, String)], indent: Int) -> [String] {
  let width = max(12, rows.map { $0.0.count }.max() ?? 0)
  return rows.map { key, value in
    String(repeating: " ", count: indent) + padded(printable(key), width) + "  " + shortened(printable(value))
  }
}

private func padded(_ text: String, _ width: Int) -> String {
  text + String(repeating: " ", count: max(0, width - text.count))
}

private func shapeText(_ shape: [Int?]) -> String {
  "[" + shape.map { $0.map(String.init) ?? "varies" }.joined(separator: ", ") + "]"
}
