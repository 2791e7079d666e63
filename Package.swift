// swift-tools-version: 6.1
import PackageDescription

let argumentParser: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")

/// A tool: options in, library call out.
func tool(_ name: String, _ libraries: [String]) -> Target {
  .executableTarget(
    name: name,
    dependencies: [argumentParser, "CommandLineKit", "TensorStream"] + libraries.map { .init(stringLiteral: $0) })
}

/// Tests and what lies beside them that is not code.
func tests(_ name: String, _ libraries: [String], exclude: [String] = []) -> Target {
  .testTarget(name: name, dependencies: libraries.map { .init(stringLiteral: $0) }, exclude: exclude)
}

let package = Package(
  name: "pmae",
  traits: [
    .default(enabledTraits: ["Archives", "OneDNN", "TIFF", "WebP"]),
    .trait(name: "Archives", description: "Tar files compressed by other programs than gzip, by libarchive"),
    .trait(name: "OneDNN", description: "Matrix multiplication in bfloat16, by oneDNN (libdnnl)"),
    .trait(name: "TIFF", description: "TIFF pictures, by libtiff"),
    .trait(name: "WebP", description: "WebP pictures, by libwebp"),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0")
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
    .target(name: "CKernels"),
    .target(name: "CImageKernels", dependencies: ["CKernels"]),

    .target(name: "TensorStream", dependencies: ["CZstd"]),
    // Apart from Compute, so that the tools for pictures load no matrix library, whose threads would take their turns at the start.
    .target(name: "Parallel", dependencies: ["CKernels"]),
    .target(
      name: "Compute",
      dependencies: [
        "COpenBLAS", "CKernels", "Parallel", .target(name: "COneDNN", condition: .when(traits: ["OneDNN"])),
      ],
      exclude: ["SPEED.md"]),
    .target(name: "Autodiff", dependencies: ["Compute", "CKernels"]),
    .target(name: "Networks", dependencies: ["Autodiff", "CKernels", "Compute", "Parallel", "TensorStream"]),
    .target(
      name: "Pretraining", dependencies: ["Networks", "CKernels", "Autodiff", "Compute", "Parallel", "TensorStream"]),
    .target(
      name: "Finetuning", dependencies: ["Networks", "CKernels", "Autodiff", "Compute", "Parallel", "TensorStream"]),
    .target(name: "Evaluation", dependencies: ["Networks", "CKernels", "Autodiff", "Compute", "TensorStream"]),
    .target(
      name: "Imaging",
      dependencies: [
        "CJPEG", "CImageKernels", "CPNG", "CZlib", "Parallel", "TensorStream",
        .target(name: "CArchive", condition: .when(traits: ["Archives"])),
        .target(name: "CTIFF", condition: .when(traits: ["TIFF"])),
        .target(name: "CWebP", condition: .when(traits: ["WebP"])),
      ]),
    .target(name: "CommandLineKit", dependencies: [argumentParser, "TensorStream"]),

    tool("pmae-pack", ["Imaging", "Parallel"]),
    tool("pmae-augment", ["Imaging", "Parallel"]),
    tool("pmae-pretrain", ["Pretraining", "Networks", "Compute"]),
    tool("pmae-export", ["Networks"]),
    tool("pmae-finetune", ["Finetuning", "Networks", "Compute"]),
    tool("pmae-evaluate", ["Evaluation", "Networks", "Compute"]),
    tool("pmae-inspect", ["Imaging", "Pretraining", "Networks", "Compute", "Parallel"]),

    tests("TensorStreamTests", ["TensorStream"], exclude: ["Fixtures"]),
    tests("ParallelTests", ["Parallel"]),
    tests("ComputeTests", ["Compute", "CKernels", "Parallel"]),
    tests("AutodiffTests", ["Autodiff", "Compute", "Parallel"]),
    tests("NetworksTests", ["Networks", "Autodiff", "Compute", "Parallel", "TensorStream"], exclude: ["Fixtures"]),
    tests(
      "PretrainingTests", ["Pretraining", "Networks", "Autodiff", "CKernels", "Compute", "Parallel", "TensorStream"],
      exclude: ["Fixtures"]),
    tests("FinetuningTests", ["Finetuning", "Networks", "Autodiff", "Compute", "Parallel", "TensorStream"]),
    tests("EvaluationTests", ["Evaluation", "Networks", "Compute", "TensorStream"]),
    tests("ImagingTests", ["Imaging", "Parallel", "TensorStream"], exclude: ["Fixtures"]),
    .testTarget(
      name: "CommandLineKitTests", dependencies: ["CommandLineKit", "TensorStream", argumentParser],
      exclude: ["Fixtures"]),
    tests(
      "ToolTests",
      [
        "Compute", "Imaging", "TensorStream", "pmae-pack", "pmae-augment", "pmae-pretrain", "pmae-export",
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
      name: "pmae-fuzz", dependencies: ["CFuzzer", "Imaging", "TensorStream"], path: "Fuzz/pmae-fuzz"),
  ]
}
