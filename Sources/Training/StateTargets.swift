import Core
import Representations
import Tensors

#if canImport(Glibc)
  import Glibc
#else
  import Foundation
#endif

/// The true states of recorded frames as the targets of a regression.
struct StateTargets: Sendable {
  /// The components of the state; an angle has two, its cosine and sine.
  let names: [String]
  /// `[N, S]`
  let values: Tensor
  /// The mean and the standard deviation of each component, `[S]`.
  let mean: Tensor
  let deviation: Tensor

  /// - Parameter angles: the components that wrap after a full turn.
  init(of recording: Recording, _ angles: Set<String>) {
    let components = recording.observationNames
    names = components.flatMap { angles.contains($0) ? ["\($0)-cos", "\($0)-sin"] : [$0] }
    let isAngle = components.map(angles.contains)
    let numbers = recording.observations.indices.flatMap { index -> [Float] in
      let x = recording.observations[index]
      return isAngle[index % components.count] ? [Float(cos(x)), Float(sin(x))] : [Float(x)]
    }
    values = Tensor(numbers, [recording.count, names.count])
    mean = values.mean(axis: 0)
    deviation = maximum(sqrt(square(values - mean).mean(axis: 0)), Tensor(repeating: 1e-6, mean.shape))
  }

  /// The states with mean 0 and deviation 1, `[N, S]`.
  var standardized: Tensor { (values - mean) / deviation }
}
