// swift-tools-version: 6.2
import PackageDescription

// A separate package with members of its own, as others write it. Elsewhere, the dependency is
// `.package(url: "…/pixelrl", .upToNextMinor(from: "0.1.0"))`.
let package = Package(
  name: "lab",
  products: [.executable(name: "lab", targets: ["Lab"])],
  dependencies: [.package(name: "pixelrl", path: "../..")],
  targets: [
    .executableTarget(name: "Lab", dependencies: [.product(name: "PixelRL", package: "pixelrl")]),
    .testTarget(name: "LabTests", dependencies: ["Lab", .product(name: "Contracts", package: "pixelrl")]),
  ],
  swiftLanguageModes: [.v6]
)
