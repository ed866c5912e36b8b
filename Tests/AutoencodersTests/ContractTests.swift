import Core
import Networks
import Pixels
import Tensors
import Testing

@testable import Autoencoders

/// A catalog entry as a test argument.
struct Member: Sendable, CustomTestStringConvertible {
  let type: any Autoencoder.Type
  var testDescription: String { type.id }
  static let all = Autoencoders.all.map(Member.init)
}

extension Autoencoder {
  /// Creates an autoencoder with the default settings.
  fileprivate static func new(_ shape: FrameShape, seed: UInt64 = 1) throws -> Self {
    var random = Seed(seed).stream("initial weights")
    return try Self(frame: shape, settings: Settings(), using: &random)
  }

  /// The reconstruction loss or, without a decoder, a loss with target latents.
  fileprivate func loss(_ x: Tensor) -> Tensor {
    let z = encode(x)
    guard !Self.hasDecoder else { return meanSquared(decode(z) - x) + penalty(z) }
    var random = Seed(4).stream("wanted")
    return meanSquared(z - 0.5 * .normal(z.shape, using: &random)) + penalty(z)
  }
}

private func randomFrames(_ count: Int, _ shape: FrameShape, seed: UInt64 = 3) -> Tensor {
  var random = Seed(seed).stream("frames")
  return .normal([count, shape.channels, shape.height, shape.width], using: &random) * 0.3
}

/// The requirements that every autoencoder of the catalog must meet.
@Suite struct ContractTests {
  @Test func idsAreUniqueAndFound() throws {
    #expect(Set(Autoencoders.all.map { $0.id }).count == Autoencoders.all.count)
    for type in Autoencoders.all {
      #expect(try Autoencoders.named(type.id) == type)
      #expect(!type.note.isEmpty)
    }
    #expect(throws: InputError("unknown autoencoder 'keypiont': did you mean 'keypoint'?")) {
      try Autoencoders.named("keypiont")
    }
  }

  static let shapes = [
    FrameShape(height: 64, width: 64, channels: 3), FrameShape(height: 84, width: 84, channels: 1),
    FrameShape(height: 48, width: 48, channels: 3), FrameShape(height: 48, width: 64, channels: 1),
    FrameShape(height: 64, width: 36, channels: 3), FrameShape(height: 24, width: 96, channels: 1),
  ]

  @Test(arguments: Member.all, shapes) func latentsAndReconstructionsHaveTheirShapes(
    _ member: Member, _ shape: FrameShape
  ) throws {
    func check<Model: Autoencoder>(_ type: Model.Type) throws { try expectShapes(type, shape) }
    try check(member.type)
  }

  /// Every frame size is either supported or rejected with an error that contains it.
  @Test(arguments: Member.all) func anySizeIsSupportedOrRejectedWithAnError(_ member: Member) throws {
    func check<Model: Autoencoder>(_ type: Model.Type) throws {
      for (height, width) in [
        (1, 1), (4, 4), (8, 8), (9, 9), (15, 15), (16, 15), (15, 17), (16, 16), (18, 20), (8, 64),
      ] {
        let shape = FrameShape(height: height, width: width, channels: 1)
        do {
          try expectShapes(type, shape)
        } catch let error as InputError {
          #expect(error.description.contains("\(width)x\(height)"))
          // The size that it names is supported.
          let named = try #require(error.description.firstMatch(of: /--size ([0-9]+)(?:x([0-9]+))?,/))
          let side = try #require(Int(named.1))
          try expectShapes(
            type, FrameShape(height: named.2.flatMap { Int($0) } ?? side, width: side, channels: 1))
        }
      }
    }
    try check(member.type)
  }

  private func expectShapes<Model: Autoencoder>(_ type: Model.Type, _ shape: FrameShape) throws {
    let model = try Model.new(shape)
    let x = randomFrames(2, shape)
    let z = model.encode(x)
    #expect(z.shape == [2, model.latentSize])
    #expect(z.isFinite)
    if Model.hasDecoder {
      let reconstruction = model.decode(z)
      #expect(reconstruction.shape == x.shape, "\(shape)")
      #expect(reconstruction.isFinite)
    }
    #expect(model.penalty(z).shape.count == 1)
    #expect(model.penalty(z).item >= 0)
    // A frame's latent does not depend on the other frames.
    let alone = model.encode(x.rows(1..<2)).array
    for i in alone.indices { #expect(abs(alone[i] - z.array[model.latentSize + i]) < 1e-5) }
  }

  @Test(arguments: Member.all) func gradientsReachEveryParameter(_ member: Member) throws {
    func check<Model: Autoencoder>(_ type: Model.Type) throws {
      let shape = FrameShape(height: 24, width: 24, channels: 3)
      let model = try Model.new(shape)
      let x = randomFrames(4, shape)
      let (_, gradient) = valueWithGradient(at: model) { $0.loss(x) }
      for (parameter, tensor) in zip(model.parameters, gradient.tensors) {
        let tensor = try #require(tensor, "\(parameter.name) has no gradient")
        #expect(tensor.isFinite)
        #expect(tensor.array.contains { $0 != 0 }, "the gradient of \(parameter.name) is zero")
      }
    }
    try check(member.type)
  }

  @Test(arguments: Member.all) func aFewStepsReduceTheLoss(_ member: Member) throws {
    func check<Model: Autoencoder>(_ type: Model.Type) throws {
      let shape = FrameShape(height: 24, width: 24, channels: 1)
      var model = try Model.new(shape)
      let x = movingSquares(8, size: 24)
      let before = model.loss(x).item
      var optimizer = Adam(learningRate: 5e-3)
      for _ in 0..<60 {
        let (_, gradient) = valueWithGradient(at: model) { $0.loss(x) }
        optimizer.update(&model, along: gradient)
      }
      #expect(model.loss(x).item < 0.8 * before)
    }
    try check(member.type)
  }

  @Test(arguments: Member.all) func weightsAreReproducibleFromTheSeed(_ member: Member) throws {
    func check<Model: Autoencoder>(_ type: Model.Type) throws {
      let shape = FrameShape(height: 24, width: 24, channels: 1)
      let (one, same, other) = (try Model.new(shape), try Model.new(shape), try Model.new(shape, seed: 2))
      let x = randomFrames(2, shape)
      #expect(one.encode(x).array == same.encode(x).array)
      #expect(one.encode(x).array != other.encode(x).array)
      #expect(one.parameters.map { $0.value.array } == same.parameters.map { $0.value.array })
    }
    try check(member.type)
  }

  @Test(arguments: Member.all) func settingsAreParsedAndBounded(_ member: Member) throws {
    func check<Model: Autoencoder>(_ type: Model.Type) throws {
      for field in Model.Settings.fields {
        var settings = Model.Settings()
        try field.set(&settings, field.text(settings))
        #expect(settings.record.map(\.text) == Model.Settings().record.map(\.text))
        let text = field.text(settings)
        let numbers = Double(text).map { [$0 - 1, $0 / 2, $0 * 2, $0 + 1].map(\.text) } ?? []
        for value in numbers + field.choices + (field.isSwitch ? ["true", "false"] : []) {
          var changed = settings
          // Out of range.
          do { try field.set(&changed, value) } catch is InputError { continue }
          #expect(field.text(changed) == value)
          for other in Model.Settings.fields where other.key != field.key {
            #expect(other.text(changed) == other.text(settings), "\(field.key) sets \(other.key) too")
          }
        }
        for wrong in ["", "nonsense", "nan"] where field.domain != "text" && !field.choices.contains(wrong) {
          #expect(throws: InputError.self) { try field.set(&settings, wrong) }
        }
      }
    }
    try check(member.type)
  }
}

/// Returns frames `[N, 1, S, S]` of a bright square with a side of 4 pixels that moves along the diagonal.
func movingSquares(_ count: Int, size: Int) -> Tensor {
  Tensor([count, 1, size, size], of: Float.self) { target in
    for i in 0..<target.count {
      let (frame, y, x) = (i / (size * size), i / size % size, i % size)
      let start = frame * (size - 4) / max(count - 1, 1)
      target[i] = (start..<start + 4).contains(y) && (start..<start + 4).contains(x) ? 1 : 0
    }
  }
}
