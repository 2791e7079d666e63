// swift-tools-version: 6.1
import PackageDescription

let argumentParser: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")

/// A tool: options in, library call out.
func tool(_ name: String, _ libraries: [String]) -> Target {
  .executableTarget(
    name: name,
    dependencies: [argumentParser, "CommandLineKit", "Runs", "Schemas", "TensorStream"]
      + libraries.map { .init(stringLiteral: $0) })
}

/// What a library above Training may import, and some more.
func above(training more: [Target.Dependency]) -> [Target.Dependency] {
  ["Training", "Networks", "Autodiff", "Compute", "Parallel", "Ranks", "Runs", "Schemas", "Settings", "TensorStream"]
    + more
}

/// Tests and what lies beside them that is not code.
func tests(
  _ name: String, _ libraries: [String], exclude: [String] = [], settings: [SwiftSetting] = []
) -> Target {
  .testTarget(
    name: name, dependencies: libraries.map { .init(stringLiteral: $0) }, exclude: exclude, swiftSettings: settings)
}

/// Types whose values the compiler keeps within the life of the memory they point to.
let lifetimes: [SwiftSetting] = [.enableExperimentalFeature("Lifetimes")]

let package = Package(
  name: "pmae",
  products: [
    "TensorStream", "Schemas", "Settings", "Parallel", "Ranks", "Compute", "Autodiff", "Networks", "Runs", "Training",
    "Pretraining",
    "Finetuning",
    "Evaluation", "Exporting", "Imaging", "Report", "Inspection",
  ].map { .library(name: $0, targets: [$0]) },
  traits: [
    .default(enabledTraits: ["Archives", "OneDNN", "TIFF", "WebP"]),
    .trait(name: "Archives", description: "Tar files compressed by other programs than gzip, by libarchive"),
    .trait(name: "MPI", description: "Training on several machines, by MPI"),
    .trait(name: "OneDNN", description: "Matrix multiplication in bfloat16, by oneDNN (libdnnl)"),
    .trait(name: "TIFF", description: "TIFF pictures, by libtiff"),
    .trait(name: "WebP", description: "WebP pictures, by libwebp"),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0"),
    .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0"),
    .package(url: "https://github.com/apple/swift-collections", from: "1.1.0"),
  ],
  targets: [
    .systemLibrary(name: "CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
    .systemLibrary(name: "COpenBLAS", pkgConfig: "openblas", providers: [.apt(["libopenblas-dev"])]),
    .systemLibrary(name: "COneDNN", providers: [.apt(["libdnnl-dev"])]),
    .systemLibrary(name: "CWebP", providers: [.apt(["libwebp-dev"])]),
    .systemLibrary(name: "CArchive", providers: [.apt(["libarchive-dev"])]),
    .target(name: "CJPEG", linkerSettings: [.linkedLibrary("jpeg")]),
    .target(name: "CPNG", linkerSettings: [.linkedLibrary("png")]),
    // The shim's own flag, so that a build without libtiff compiles nothing of it.
    .target(
      name: "CTIFF", cSettings: [.define("PMAE_TIFF", .when(traits: ["TIFF"]))],
      linkerSettings: [.linkedLibrary("tiff", .when(traits: ["TIFF"]))]),
    // As CTIFF: without the trait it is empty.
    .target(
      name: "CMPI", cSettings: [.define("PMAE_MPI", .when(traits: ["MPI"])), .headerSearchPath("beside")],
      linkerSettings: [.linkedLibrary("mpi", .when(traits: ["MPI"]))]),
    .target(name: "CKernels"),
    .target(name: "CImageKernels", dependencies: ["CKernels"]),

    .target(name: "TensorStream", dependencies: ["CZstd"]),
    // Apart from Compute, so that the tools for pictures load no matrix library, whose threads would take their turns at the start.
    .target(name: "Parallel", dependencies: ["CKernels"]),
    .target(
      name: "Ranks",
      dependencies: ["TensorStream", .target(name: "CMPI", condition: .when(traits: ["MPI"]))]),
    .target(
      name: "Compute",
      dependencies: [
        "COpenBLAS", "CKernels", "Parallel", "Ranks", .target(name: "COneDNN", condition: .when(traits: ["OneDNN"])),
      ],
      exclude: ["SPEED.md"], swiftSettings: lifetimes),
    .target(name: "Autodiff", dependencies: ["Compute", "CKernels", "Parallel", "Ranks"], swiftSettings: lifetimes),
    .target(name: "Networks", dependencies: ["Autodiff", "CKernels", "Compute", "Parallel", "TensorStream"]),
    .target(name: "Schemas", dependencies: ["TensorStream"]),
    .target(name: "Settings", dependencies: ["TensorStream"]),
    // Apart from Training, so that pmae-augment, which goes on where a run is, loads no matrix library.
    .target(name: "Runs", dependencies: ["Schemas", "TensorStream"]),
    .target(
      name: "Training",
      dependencies: [
        "Networks", "Runs", "Schemas", "Autodiff", "CKernels", "Compute", "Parallel", "Ranks", "TensorStream",
      ]),
    .target(name: "Pretraining", dependencies: above(training: ["CKernels"])),
    .target(name: "Finetuning", dependencies: above(training: ["CKernels"])),
    .target(
      name: "Evaluation",
      dependencies: above(training: ["CKernels"]) + [.product(name: "HeapModule", package: "swift-collections")]),
    .target(
      name: "Exporting",
      dependencies: above(training: [.product(name: "SwiftProtobuf", package: "swift-protobuf")]),
      exclude: ["ONNX/onnx.proto"]),
    .target(
      name: "Imaging",
      dependencies: [
        "CJPEG", "CImageKernels", "CPNG", "CZlib", "Parallel", "Schemas", "TensorStream",
        .target(name: "CArchive", condition: .when(traits: ["Archives"])),
        .target(name: "CTIFF", condition: .when(traits: ["TIFF"])),
        .target(name: "CWebP", condition: .when(traits: ["WebP"])),
      ]),
    .target(
      name: "CommandLineKit", dependencies: [argumentParser, "Ranks", "Runs", "Schemas", "Settings", "TensorStream"]),
    .target(
      name: "Inspection", dependencies: above(training: ["CKernels", "CommandLineKit", "Imaging", "Pretraining"])),

    .target(name: "Report", dependencies: ["Evaluation", "Imaging", "Runs", "Schemas", "TensorStream"]),

    tool("pmae-pack", ["Imaging", "Parallel"]),
    tool("pmae-augment", ["Imaging", "Parallel"]),
    tool("pmae-pretrain", ["Pretraining", "Training", "Networks", "Compute", "Ranks", "Settings"]),
    tool("pmae-export", ["Exporting", "Networks", "Pretraining", "Training", "Compute"]),
    tool("pmae-finetune", ["Finetuning", "Training", "Networks", "Compute", "Ranks", "Settings"]),
    tool("pmae-evaluate", ["Evaluation", "Report", "Imaging", "Training", "Networks", "Compute", "Parallel"]),
    tool("pmae-inspect", ["Inspection", "Imaging", "Pretraining", "Compute"]),

    tests("TensorStreamTests", ["TensorStream"], exclude: ["Fixtures"]),
    tests("ParallelTests", ["Parallel"]),
    tests("RanksTests", ["Ranks", "TensorStream", "TestSupport"]),
    tests("ComputeTests", ["Compute", "CKernels", "Parallel"], settings: lifetimes),
    tests("AutodiffTests", ["Autodiff", "Compute", "Parallel"], exclude: ["Fixtures"]),
    .target(
      name: "TestSupport", dependencies: ["Networks", "Autodiff", "Compute", "Parallel", "Ranks"], path: "Tests/Support"
    ),
    .testTarget(name: "NetworksTests", dependencies: above(training: ["TestSupport"]), exclude: ["Fixtures"]),
    .testTarget(name: "TrainingTests", dependencies: above(training: ["TestSupport"]), exclude: ["Fixtures"]),
    .testTarget(name: "InspectionTests", dependencies: above(training: ["Inspection", "Pretraining"])),
    .testTarget(
      name: "PretrainingTests",
      dependencies: above(training: ["Pretraining", "Inspection", "CKernels", "TestSupport"]),
      exclude: ["Fixtures"]),
    .testTarget(name: "FinetuningTests", dependencies: above(training: ["Finetuning", "TestSupport"])),
    .testTarget(name: "EvaluationTests", dependencies: above(training: ["Evaluation"])),
    tests(
      "ReportTests",
      ["Report", "Evaluation", "Imaging", "Networks", "Parallel", "Runs", "Schemas", "TensorStream", "Training"]),
    tests("ImagingTests", ["Imaging", "Parallel", "Schemas", "TensorStream"], exclude: ["Fixtures"]),
    .testTarget(
      name: "CommandLineKitTests", dependencies: ["CommandLineKit", "Runs", "Schemas", "TensorStream", argumentParser],
      exclude: ["Fixtures"]),
    tests(
      "ToolTests",
      [
        "Compute", "Imaging", "Pretraining", "Runs", "Schemas", "TensorStream", "Training", "pmae-pack", "pmae-augment",
        "pmae-pretrain", "pmae-export",
        "pmae-finetune",
        "pmae-evaluate", "pmae-inspect",
      ], exclude: ["Fixtures", "README.md"]),
  ],
  swiftLanguageModes: [.v6]
)

// Only pipelines/fuzz.mk asks for the fuzzer, which needs sanitizers and the library that comes with the compiler.
if Context.environment["PMAE_FUZZ"] != nil {
  package.targets += [
    .systemLibrary(name: "CFuzzer", path: "Fuzz/CFuzzer"),
    .executableTarget(
      name: "pmae-fuzz", dependencies: ["CFuzzer", "Imaging", "Parallel", "Schemas", "TensorStream"],
      path: "Fuzz/pmae-fuzz"),
  ]
}
