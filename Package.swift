// swift-tools-version: 6.2
import PackageDescription

/// Every target is checked for data races and for unsafe memory use; a warning is an error.
let strict: [SwiftSetting] = [
  .strictMemorySafety(), .treatAllWarnings(as: .error), .enableExperimentalFeature("Lifetimes"),
]

/// The trait `OneDNN` (on by default) uses the kernels of oneDNN (`libdnnl`), instead of the portable ones.
let oneDNN: Target.Dependency = .target(name: "CDNNL", condition: .when(traits: ["OneDNN"]))
/// The trait `MuJoCo` (off by default) adds the tasks of the DeepMind Control suite, with the physics of `libmujoco`.
let muJoCo: Target.Dependency = .target(name: "CMuJoCo", condition: .when(traits: ["MuJoCo"]))
let argumentParser: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")
let yaml: Target.Dependency = .product(name: "Yams", package: "Yams")
let httpServer: Target.Dependency = .product(name: "FlyingFox", package: "FlyingFox")

func layer(_ name: String, _ dependencies: [Target.Dependency], resources: [Resource] = []) -> Target {
  .target(name: name, dependencies: dependencies, resources: resources, swiftSettings: strict)
}

func tests(_ name: String, _ dependencies: [Target.Dependency], resources: [Resource] = []) -> Target {
  .testTarget(
    name: name + "Tests", dependencies: [.target(name: name)] + dependencies, resources: resources,
    swiftSettings: strict)
}

/// The modules below the commands, each a folder in `Sources`.
let modules = [
  "Core", "Formats", "Pixels", "Plots", "Scenes", "Tensors", "Networks", "Replay", "Environments", "Autoencoders",
  "Agents", "Tabular", "Representations", "Runs", "Imports", "Reports", "Training", "Sweeps",
]

let package = Package(
  name: "pixelrl",
  products: [
    .executable(name: "pixelrl", targets: ["Program"]),
    // For packages that add their own environments, agents and autoencoders, and for their tests.
    .library(name: "PixelRL", targets: ["pixelrl"] + modules),
    .library(name: "Contracts", targets: ["Contracts"]),
    // For the fuzzers of Tests/Fuzz.
    .library(name: "Readers", targets: ["Core", "Formats", "Pixels", "Tensors", "Networks", "Runs"]),
  ],
  traits: [
    .trait(name: "OneDNN", description: "Fast kernels from oneDNN (libdnnl-dev) instead of the portable ones."),
    .trait(name: "MuJoCo", description: "The tasks of the DeepMind Control suite on MuJoCo's physics (2.2 or 3)."),
    .default(enabledTraits: ["OneDNN"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    .package(url: "https://github.com/swhitty/FlyingFox", from: "0.27.1"),
    // Only for `make docs`.
    .package(url: "https://github.com/swiftlang/swift-docc-plugin", from: "1.5.0"),
  ],
  targets: [
    // C: system libraries, each imported by exactly one target
    .systemLibrary(name: "CPNG", providers: [.apt(["libpng-dev", "zlib1g-dev"])]),
    .systemLibrary(name: "CZlib", providers: [.apt(["zlib1g-dev"])]),
    .systemLibrary(name: "CDNNL", providers: [.apt(["libdnnl-dev"])]),
    .systemLibrary(name: "CMuJoCo", providers: [.apt(["libmujoco-dev"])]),
    .systemLibrary(name: "CLinux"),
    // 0: basic types
    layer("Core", ["CLinux"]),
    // 1: file formats
    layer("Formats", ["Core", yaml, "CZlib"]),
    // 2: images and tensors; Plots and Scenes draw into the images of Pixels
    layer("Pixels", ["Core", "Formats", "CPNG"]),
    layer("Plots", ["Formats", "Pixels"]),
    layer("Scenes", ["Core", "Pixels"]),
    layer("Tensors", ["Core", oneDNN]),
    // 3: networks and replay buffers
    layer("Networks", ["Core", "Formats", "Tensors"]),
    layer("Replay", ["Core", "Tensors"]),
    // 4: environments, autoencoders, agents and tabular methods; they never import each other
    layer(
      "Environments", ["Core", "Formats", "Pixels", "Scenes", muJoCo],
      resources: ["spaces", "pictures", "games", "atari", "supervision", "service"].map {
        .embedInCode("Gymnasium/Server/pixelrl_\($0).py")
      }),
    layer("Autoencoders", ["Core", "Pixels", "Tensors", "Networks"]),
    layer("Agents", ["Core", "Tensors", "Networks", "Replay"]),
    layer("Tabular", ["Core", "Formats", "Tensors", "Networks"]),
    // 5: where the encoder learns, and the files of a run
    layer(
      "Representations",
      ["Core", "Pixels", "Tensors", "Networks", "Replay", "Environments", "Autoencoders", "Agents"]),
    layer("Runs", ["Core", "Formats", "Pixels", "Tensors"]),
    // 6: pictures that others made, reports and training loops
    layer(
      "Imports", ["Core", "Formats", "Pixels", "Runs"],
      resources: ["minari", "lerobot"].map { .embedInCode("Python/pixelrl_\($0).py") }),
    layer("Reports", ["Core", "Formats", "Pixels", "Plots", "Runs"]),
    layer(
      "Training",
      [
        "Core", "Formats", "Pixels", "Plots", "Tensors", "Networks", "Replay", "Environments", "Autoencoders", "Agents",
        "Representations", "Runs",
      ]),
    // 7: the points of a sweep, their workers, tables and job scripts
    layer("Sweeps", ["Core", "Formats", "Runs", "Reports"]),
    // 8: the commands, and the workloads that `pixelrl bench` measures in their own process
    .target(name: "CAllocations"),
    .executableTarget(
      name: "Workloads",
      dependencies: [
        "CAllocations", "Core", "Pixels", "Tensors", "Networks", "Replay", "Environments", "Autoencoders", "Agents",
        "Representations",
      ], swiftSettings: strict),
    .target(
      name: "pixelrl",
      dependencies: [
        "Core", "Formats", "Pixels", "Plots", "Tensors", "Environments", "Autoencoders", "Agents", "Representations",
        "Tabular", "Runs", "Imports", "Reports", "Training", "Sweeps", argumentParser, httpServer,
      ],
      resources: [.embedInCode("Serving/pixelrl_gymnasium.py")], swiftSettings: strict),
    .executableTarget(name: "Program", dependencies: ["pixelrl"], swiftSettings: strict),

    // The requirements that every environment, agent and autoencoder must meet, for the tests of any package.
    .target(
      name: "Contracts",
      dependencies: ["Core", "Pixels", "Tensors", "Networks", "Replay", "Environments", "Autoencoders", "Agents"],
      path: "Tests/Contracts", swiftSettings: strict),
    // Runs Python in tests, for example to read our files with other libraries.
    .target(name: "Python", path: "Tests/Python"),
    tests("Core", []),
    tests("Formats", ["Core", "Python"]),
    tests("Pixels", ["Core", "Formats", "Python"]),
    tests("Plots", ["Formats", "Pixels"]),
    tests("Scenes", ["Core", "Pixels"]),
    tests("Tensors", ["Core"], resources: [.copy("Goldens")]),
    tests("Networks", ["Core", "Tensors", "Python"], resources: [.copy("Golden")]),
    tests("Replay", ["Core", "Tensors"]),
    tests("Environments", ["Core", "Pixels", "Contracts", "Python"], resources: [.copy("Golden")]),
    tests("Autoencoders", ["Core", "Pixels", "Tensors", "Networks", "Contracts", "Python"]),
    tests("Agents", ["Core", "Tensors", "Networks", "Replay", "Contracts", "Python"], resources: [.copy("Golden")]),
    tests("Tabular", ["Core", "Formats"]),
    tests("Runs", ["Core", "Formats", "Pixels", "Tensors", "Python"]),
    tests("Imports", ["Core", "Formats", "Pixels", "Runs", "Python"]),
    tests("Sweeps", ["Core", "Formats", "Runs"]),
    tests("Reports", ["Core", "Formats", "Pixels", "Plots", "Runs"]),
    tests(
      "Training",
      [
        "Core", "Formats", "Pixels", "Tensors", "Networks", "Replay", "Environments", "Autoencoders", "Agents",
        "Representations", "Runs",
      ]),
    tests(
      "Representations",
      ["Core", "Pixels", "Tensors", "Networks", "Replay", "Environments", "Autoencoders", "Agents"],
      resources: [.copy("Golden")]),
    tests(
      "pixelrl",
      [
        "Core", "Formats", "Python", "Tensors", "Networks", "Environments", "Autoencoders", "Agents", "Representations",
        "Runs", "Training", "Sweeps", "Program", argumentParser,
      ]),
  ],
  swiftLanguageModes: [.v6]
)
