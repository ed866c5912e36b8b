#if canImport(Glibc)
  import Glibc
#else
  import Foundation
#endif

/// The element type of a tensor. Learning uses `float32`; `float64` is for checks such as finite differences.
public enum Precision: String, Sendable, Hashable, Codable {
  case float32
  case float64

  var byteCount: Int { self == .float32 ? 4 : 8 }
}

/// The two element types, with the mathematical functions that the operations use.
public protocol TensorScalar: BinaryFloatingPoint, SIMDScalar, BitwiseCopyable, Codable, Sendable
where SIMD8Storage: BitwiseCopyable {
  static var precision: Precision { get }
  static func exp(_ x: Self) -> Self
  static func log(_ x: Self) -> Self
  static func log1p(_ x: Self) -> Self
  static func tanh(_ x: Self) -> Self
}

extension Float: TensorScalar {
  public static var precision: Precision { .float32 }
  @inline(__always) public static func exp(_ x: Float) -> Float { exponential(x) }
  @inline(__always) public static func log(_ x: Float) -> Float { logf(x) }
  @inline(__always) public static func log1p(_ x: Float) -> Float { log1pf(x) }
  @inline(__always) public static func tanh(_ x: Float) -> Float { tanhf(x) }
}

#if canImport(Glibc)
  extension Double: TensorScalar {
    public static var precision: Precision { .float64 }
    @inline(__always) public static func exp(_ x: Double) -> Double { Glibc.exp(x) }
    @inline(__always) public static func log(_ x: Double) -> Double { Glibc.log(x) }
    @inline(__always) public static func log1p(_ x: Double) -> Double { Glibc.log1p(x) }
    @inline(__always) public static func tanh(_ x: Double) -> Double { Glibc.tanh(x) }
  }
#else
  extension Double: TensorScalar {
    public static var precision: Precision { .float64 }
    @inline(__always) public static func exp(_ x: Double) -> Double { Foundation.exp(x) }
    @inline(__always) public static func log(_ x: Double) -> Double { Foundation.log(x) }
    @inline(__always) public static func log1p(_ x: Double) -> Double { Foundation.log1p(x) }
    @inline(__always) public static func tanh(_ x: Double) -> Double { Foundation.tanh(x) }
  }
#endif
