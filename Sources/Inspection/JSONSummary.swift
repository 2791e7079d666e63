// --json: the same facts as one JSON object a line.

import Foundation
import Schemas
import TensorStream

/// Keys: `name`, `container`, `kind`, `metadata` (strings as they are in the file), `tensors` (name, type, shape with
/// null where a dimension varies), `digest`, `rows` and `records` where there are data records, `bytes` for a file, `made_by` and
/// `made_from` (parsed) with `lineage`, `check` where it was asked for.
public func jsonText(_ contents: Contents, lineage: Bool) throws -> String {
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
    let (madeBy, madeFrom) = ProvenanceStep.values(of: contents.metadata)
    object["made_by"] = madeBy ?? NSNull()
    object["made_from"] = madeFrom ?? NSNull()
  }
  let data = try JSONSerialization.data(withJSONObject: object, options: [.sortedKeys, .withoutEscapingSlashes])
  return String(decoding: data, as: UTF8.self)
}
