// swift-tools-version: 6.1
import PackageDescription

let argumentParser: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")

/// A tool: options in, library call out.
func tool(_ name: String, _ libraries: [String]) -> Target {
  .executableTarget(
    name: name,
    dependencies: [argumentParser, "CommandLineKit", "TensorStream"] + libraries.map { .init(stringLiteral: $0) })
}

let package = Package(
  name: "pmae",
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0")
  ],
  targets: [
    .systemLibrary(name: "CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),
    .systemLibrary(name: "COpenBLAS", pkgConfig: "openblas", providers: [.apt(["libopenblas-dev"])]),
    .target(name: "CJPEG", linkerSettings: [.linkedLibrary("jpeg")]),
    .target(name: "CKernels"),

    .target(name: "TensorStream", dependencies: ["CZstd"]),
    .target(name: "Compute", dependencies: ["COpenBLAS", "CKernels"]),
    .target(name: "Autodiff", dependencies: ["Compute", "CKernels"]),
    .target(name: "Networks", dependencies: ["Autodiff", "CKernels", "Compute", "TensorStream"]),
    .target(name: "Pretraining", dependencies: ["Networks", "CKernels", "Autodiff", "Compute", "TensorStream"]),
    .target(name: "Finetuning", dependencies: ["Networks", "CKernels", "Autodiff", "Compute", "TensorStream"]),
    .target(name: "Evaluation", dependencies: ["Networks", "CKernels", "Autodiff", "Compute", "TensorStream"]),
    .target(name: "Imaging", dependencies: ["CJPEG", "Compute", "TensorStream"]),
    .target(name: "CommandLineKit", dependencies: [argumentParser, "TensorStream"]),

    tool("pmae-pack", ["Imaging"]),
    tool("pmae-augment", ["Imaging", "Compute"]),
    tool("pmae-pretrain", ["Pretraining", "Networks", "Compute"]),
    tool("pmae-export", ["Networks"]),
    tool("pmae-finetune", ["Finetuning", "Networks", "Compute"]),
    tool("pmae-evaluate", ["Evaluation", "Networks", "Compute"]),
    tool("pmae-inspect", []),

    .testTarget(name: "TensorStreamTests", dependencies: ["TensorStream"], exclude: ["Fixtures"]),
    .testTarget(name: "ComputeTests", dependencies: ["Compute", "CKernels"]),
    .testTarget(name: "AutodiffTests", dependencies: ["Autodiff", "Compute"]),
    .testTarget(name: "NetworksTests", dependencies: ["Networks", "Autodiff", "Compute", "TensorStream"]),
    .testTarget(name: "PretrainingTests", dependencies: ["Pretraining", "Networks", "Autodiff", "Compute", "TensorStream"], exclude: ["Fixtures"]),
    .testTarget(name: "FinetuningTests", dependencies: ["Finetuning", "Networks", "Autodiff", "Compute", "TensorStream"]),
    .testTarget(name: "EvaluationTests", dependencies: ["Evaluation", "Networks", "Compute", "TensorStream"]),
    .testTarget(name: "ImagingTests", dependencies: ["Imaging", "Compute", "TensorStream"], exclude: ["Fixtures"]),
    .testTarget(name: "CommandLineKitTests", dependencies: ["CommandLineKit", "TensorStream", argumentParser]),
    .testTarget(
      name: "ToolTests",
      dependencies: [
        "TensorStream", "pmae-pack", "pmae-augment", "pmae-pretrain", "pmae-export", "pmae-finetune", "pmae-evaluate",
        "pmae-inspect",
      ]),
  ],
  swiftLanguageModes: [.v6]
)
