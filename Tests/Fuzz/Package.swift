// swift-tools-version: 6.2
import PackageDescription

// A separate package, so that it is not part of an ordinary build. `run.sh` builds and runs it.
let package = Package(
  name: "fuzz",
  dependencies: [.package(name: "pixelrl", path: "../..", traits: [])],
  targets: [
    .executableTarget(
      name: "Fuzz", dependencies: [.product(name: "Readers", package: "pixelrl")],
      swiftSettings: [.unsafeFlags(["-parse-as-library"]), .enableExperimentalFeature("Extern")])
  ],
  swiftLanguageModes: [.v6]
)
