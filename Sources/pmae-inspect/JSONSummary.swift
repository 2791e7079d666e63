// --json: the same facts as one JSON object a line.

import Foundation
import TensorStream

/// Keys: `name`, `container`, `kind`, `metadata` (strings as they are in the file), `tensors` (name, type, shape with
/// null where a dimension varies), `digest`, `rows` and `records` where there are data records, `bytes` for a file, `made_by` and
/// `made_from` (parsed) with `lineage`, `check` where it was asked for.
func jsonText(_ contents: Contents, lineage: Bool) throws -> String {
  var object: [String: Any] = [
    "name": contents.name,
    "container": contents.isStream ? "stream" : "safetensors",
    "metadata": contents.metadata,
    "tensors": contents.tensors.map { tensor -> [String: Any] in
      [
        "name": tensor.name, "type": tensor.type.rawValue,
        "shape": tensor.shape.map { dimension -> Any in dimension ?? NSNull() },
      ]
    },
  ]
  object["kind"] = contents.kind
  object["bytes"] = contents.byteCount
  object["digest"] = contents.digest
  object["check"] = contents.finding
  if contents.hasRows {
    object["rows"] = contents.rows
    object["records"] = contents.records
  }
  if lineage {
    object["made_by"] = contents.metadata["made_by"].flatMap(parsed) ?? NSNull()
    object["made_from"] = contents.metadata["made_from"].flatMap(parsed) ?? NSNull()
  }
  let data = try JSONSerialization.data(withJSONObject: object, options: [.sortedKeys, .withoutEscapingSlashes])
  return String(decoding: data, as: UTF8.self)
}
