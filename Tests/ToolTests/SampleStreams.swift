// Small streams for the tests to look at, cut and damage.

import Foundation
import TensorStream

enum Sample {
  static let classes = #"["ankle boot","bag"]"#
  static let madeBy = #"{"arguments":["--limit","7","a b.gz"],"tool":"pmae-pack","version":"0.1.0"}"#

  /// 7 pictures of 2 × 3 pixels in records of 3, 3 and 1; pixel values count up, labels are row mod 2.
  static func images(_ path: String) throws {
    let writer = try StreamWriter(
      path: path, kind: "images",
      metadata: [
        "classes": classes, "height": "2", "width": "3", "channels": "1", "mean": "[0.5]", "std": "[0.25]",
        "made_by": madeBy, "made_from": "[]",
      ])
    for rows in [0..<3, 3..<6, 6..<7] {
      try writer.write([
        (
          name: "pixels",
          tensor: StoredTensor(rows.flatMap { r in (0..<6).map { UInt8(r * 6 + $0) } }, shape: [rows.count, 2, 3, 1])
        ),
        (name: "label", tensor: StoredTensor(rows.map { Int32($0 % 2) }, shape: [rows.count])),
      ])
    }
    try writer.finish()
  }

  static var tensors: [NamedTensor] {
    [
      (name: "proj.weight", tensor: StoredTensor([Float(0.1), -2, 3e-10, .infinity, 1e20, 0], shape: [2, 3])),
      (name: "scale", tensor: StoredTensor([Double(0.1)], shape: [])),
      (name: "count", tensor: StoredTensor([Int64.max, .min], shape: [2])),
      // 1, -0.5 and 0.1 in half precision; 1 and -3 in bfloat16.
      (name: "half", tensor: StoredTensor(type: .f16, shape: [3], bytes: [0x00, 0x3C, 0x00, 0xB8, 0x66, 0x2E])),
      (name: "brain", tensor: StoredTensor(type: .bf16, shape: [2], bytes: [0x80, 0x3F, 0x40, 0xC0])),
      (name: "empty", tensor: StoredTensor([Float](), shape: [0, 4])),
    ]
  }

  /// One record, made from `images`.
  static func weights(_ path: String) throws {
    let madeFrom = #"[{"digest":"00ff","kind":"images","made_by":\#(madeBy),"made_from":[],"name":"images.stz"}]"#
    try StreamWriter.writeOneRecord(
      path: path, kind: "weights",
      metadata: [
        "config": #"{"depth":4,"width":96}"#,
        "made_by": #"{"arguments":["images.stz"],"tool":"train","version":"2"}"#, "made_from": madeFrom,
      ],
      tensors: tensors)
  }

  static func safetensors(_ path: String) throws {
    try writeSafetensors(path: path, metadata: ["note": "plain"], tensors: tensors)
  }

  static func bytes(_ write: (String) throws -> Void) throws -> Data {
    try ToolRunner.withTemporaryFolder { folder in
      try write(folder + "/sample")
      return try Data(contentsOf: URL(fileURLWithPath: folder + "/sample"))
    }
  }
}
