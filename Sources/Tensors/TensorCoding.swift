#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// Encodes the extents, outermost first.
extension Shape: Codable {
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    let extents = try container.decode([Int].self)
    var count = 1
    for extent in extents {
      let (product, overflows) = count.multipliedReportingOverflow(by: extent)
      guard !overflows, (0...Int(Int32.max)).contains(extent) else {
        throw DecodingError.dataCorruptedError(in: container, debugDescription: "\(extents) is not a shape")
      }
      count = product
    }
    guard extents.count <= Shape.maximumRank else {
      throw DecodingError.dataCorruptedError(in: container, debugDescription: "\(extents) is not a shape")
    }
    self.init(extents)
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(array)
  }
}

/// Encodes shape, precision and the elements' bytes, little endian and row-major. A decoded tensor is a constant.
extension Tensor: Codable {
  private enum CodingKeys: CodingKey {
    case shape, precision, elements
  }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    let shape = try container.decode(Shape.self, forKey: .shape)
    let precision = try container.decode(Precision.self, forKey: .precision)
    let bytes = try container.decode(Data.self, forKey: .elements)
    guard bytes.count == shape.count * precision.byteCount else {
      throw DecodingError.dataCorruptedError(
        forKey: .elements, in: container, debugDescription: "\(bytes.count) bytes for \(shape) of \(precision)")
    }
    self.init(uninitialized: shape, precision)
    unsafe bytes.copyBytes(
      to: UnsafeMutableRawBufferPointer(start: storage.base, count: bytes.count))
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(shape, forKey: .shape)
    try container.encode(precision, forKey: .precision)
    let bytes = unsafe Data(bytes: storage.base, count: shape.count * precision.byteCount)
    try container.encode(bytes, forKey: .elements)
  }
}
