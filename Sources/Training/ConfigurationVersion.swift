import Foundation
import TensorStream

/// The version of the configurations that this program writes, of pretraining and of fine-tuning. Version 1 wrote no
/// number.
public let configurationVersion = 2

/// A configuration as a JSON object, its version checked.
public func configurationObject(_ json: String, source: String) throws -> [String: Any] {
  guard let object = try? JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any] else {
    throw Failure(.data, "\(source): its configuration is not a JSON object")
  }
  if let version = object["version"] as? Int, version > configurationVersion {
    throw Failure(
      .data,
      "\(source): its configuration is of version \(version), and this program knows versions up to \(configurationVersion): use a newer one"
    )
  }
  return object
}
