import Core
import Foundation
import Testing

@testable import Networks
@testable import Tensors

/// Returns a file with a given header.
private func file(_ header: String, data count: Int = 0) -> [UInt8] {
  let header = Array(header.utf8)
  let length = (0..<8).map { UInt8(truncatingIfNeeded: header.count >> (8 * $0)) }
  return length + header + [UInt8](repeating: 0, count: count)
}

@Suite struct SafetensorsTests {
  private let sample = Safetensors(
    [
      ("b", Tensor([Float(1.5), -2, 3], [3])), ("a", Tensor([Float(7)], [1, 1])),
      ("double", Tensor([0.1, -.infinity], [2])),
      ("scalar", Tensor(scalar: 4)), ("empty", .zeros([2, 0])),
    ], metadata: [("format", "pt"), ("note", "é \"x\"")])

  private func expectEqual(_ a: Safetensors, _ b: Safetensors) {
    let (x, y) = (a.tensors.sorted { $0.name < $1.name }, b.tensors.sorted { $0.name < $1.name })
    #expect(x.map(\.name) == y.map(\.name) && x.map(\.value.shape) == y.map(\.value.shape))
    #expect(x.map(\.value.precision) == y.map(\.value.precision) && x.map(\.value.doubles) == y.map(\.value.doubles))
    #expect(a.metadata.map(\.key) == b.metadata.map(\.key) && a.metadata.map(\.value) == b.metadata.map(\.value))
  }

  @Test func roundTrip() throws {
    expectEqual(try Safetensors(parsing: sample.bytes), sample)
    expectEqual(try Safetensors(parsing: Safetensors([]).bytes), Safetensors([]))
  }

  /// Weights of another type, or that are not finite, are rejected with the tensor's name.
  @Test(arguments: [
    (Tensor([0.5, 1], [2]), "the tensor b has the type F64: save weights as F32"),
    (Tensor([Float(1), .nan], [2]), "the tensor b has values that are not finite: element 1 is nan"),
    (Tensor([-Float.infinity, 0], [2]), "the tensor b has values that are not finite: element 0 is -inf"),
  ])
  func weightsAreFiniteAndFloat32(_ tensor: Tensor, _ reason: String) throws {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString).path
    defer { try? FileManager.default.removeItem(atPath: path) }
    let good = ("a", Tensor([Float(1)], [1]))
    try Safetensors([good, ("b", tensor)]).write(to: path)
    let error = #expect(throws: WorldError.self) { try Safetensors(weightsAt: path) }
    #expect(error?.description == "\(path): \(reason)")
    try Safetensors([good]).write(to: path)
    let file = try Safetensors(weightsAt: path)
    #expect(try file.tensor("a", [1]).array == [1])
    #expect(throws: InputError("the tensor b is missing")) { try file.tensor("b", [1]) }
    #expect(throws: InputError("the tensor a has the shape [1], not [2]")) { try file.tensor("a", [2]) }
  }

  @Test func goldenBytes() {
    let written = Safetensors(
      [("w", Tensor([Float(1), -2], [1, 2])), ("d", Tensor([0.5], [1]))], metadata: [("k", "v")])
    let header =
      #"{"__metadata__":{"k":"v"},"d":{"dtype":"F64","shape":[1],"data_offsets":[0,8]},"#
      + #""w":{"dtype":"F32","shape":[1,2],"data_offsets":[8,16]}}"#
    let padded = header + String(repeating: " ", count: -header.utf8.count & 7)
    let length = UInt8(padded.utf8.count)
    let data: [UInt8] = [0, 0, 0, 0, 0, 0, 0xe0, 0x3f, 0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0]
    #expect(written.bytes == [length, 0, 0, 0, 0, 0, 0, 0] + Array(padded.utf8) + data)
  }

  /// Headers that the format forbids, each with a part of the error message.
  @Test(arguments: [
    (#"{"__metadata__":{"a":1}}"#, 0, "strings to strings"),
    (#"{"__metadata__":[]}"#, 0, "not a JSON object"),
    (
      #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[8,12]}}"#,
      12, "gap"
    ),
    (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#, 8, "gap"),
    (
      #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#,
      8, "before the previous"
    ),
    (
      #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#,
      4, "before the previous"
    ),
    (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#, 5, "follow the last"),
    (#"{}"#, 1, "follow the last"),
    (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#, 3, "only 3"),
    (#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}"#, 4, "needs 8 bytes"),
    (#"{"a":{"dtype":"F64","shape":[1],"data_offsets":[0,4]}}"#, 4, "needs 8 bytes"),
    (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}"#, 4, "start and an end"),
    (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[-4,0]}}"#, 4, "start and an end"),
    (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4.0]}}"#, 4, "start and an end"),
    (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4,4]}}"#, 4, "start and an end"),
    (#"{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}"#, 4, "cannot have -1"),
    (#"{"a":{"dtype":"F32","shape":[1.5],"data_offsets":[0,4]}}"#, 4, "cannot have 1.5"),
    (#"{"a":{"dtype":"F32","shape":[99999999999999999999],"data_offsets":[0,4]}}"#, 4, "cannot have"),
    (#"{"a":{"dtype":"F32","shape":[2147483647,2147483647,2147483647],"data_offsets":[0,4]}}"#, 4, "too large"),
    (#"{"a":{"dtype":"F32","shape":[2147483648,0],"data_offsets":[0,0]}}"#, 0, "cannot have"),
    (#"{"a":{"dtype":"F32","shape":[1,1,1,1,1],"data_offsets":[0,4]}}"#, 4, "5 axes"),
    (#"{"a":{"dtype":"F33","shape":[1],"data_offsets":[0,4]}}"#, 4, "element type"),
    (#"{"a":{"dtype":4,"shape":[1],"data_offsets":[0,4]}}"#, 4, "element type"),
    (#"{"a":{"dtype":"F32","shape":1,"data_offsets":[0,4]}}"#, 4, "not an array"),
    (#"{"a":{"dtype":"F32","shape":[1]}}"#, 4, "must have dtype"),
    (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"x":1}}"#, 4, "nothing else"),
    (#"{"a":4}"#, 4, "must have dtype"),
    (#"{"a":{"dtype":"F32","shape":[NaN],"data_offsets":[0,4]}}"#, 4, "expected a JSON value"),
    (
      #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#,
      8, "duplicate key"
    ),
    (#"{"a":{"dtype":"F32","dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#, 4, "duplicate key"),
    (#"{"a":{"dtype":"F32","shape":[[[[1]]]],"data_offsets":[0,4]}}"#, 4, "too deeply"),
    ("[]", 0, "not a JSON object"), ("", 0, "text ends"), ("{} x", 0, "unexpected text"), ("{", 0, "quoted key"),
  ])
  func invalidHeadersAreRejected(_ header: String, _ data: Int, _ text: String) {
    let error = #expect(throws: InputError.self) { try Safetensors(parsing: file(header, data: data)) }
    #expect(error?.description.contains(text) == true, "\(error?.description ?? "accepted")")
  }

  @Test func invalidLengthsAreRejected() {
    for bytes: [UInt8] in [
      [], [1, 2, 3], [UInt8](repeating: 0xff, count: 8), [3, 0, 0, 0, 0, 0, 0, 0, 0x7b, 0x7d],
      [0x01, 0xe1, 0xf5, 0x05, 0, 0, 0, 0, 0x7b, 0x7d],  // one over the limit
      [0, 0, 0, 0, 0, 0, 0, 0x80, 0x7b, 0x7d],
    ] {
      #expect(throws: InputError.self) { try Safetensors(parsing: bytes) }
    }
    var notText = file(#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#, data: 4)
    notText[10] = 0xff
    #expect(throws: InputError.self) { try Safetensors(parsing: notText) }
  }

  @Test(arguments: [
    ("  {}  \n", 0, 0), ("{}", 0, 0), (#"{"a":{"dtype":"F32","shape":[],"data_offsets":[0,4]}}"#, 4, 1),
    (#"{"a":{"dtype":"F32","shape":[0,5],"data_offsets":[0,0]}}"#, 0, 1),
    (
      #"{"z":{"dtype":"F32","shape":[1],"data_offsets":[4,8]},"a":{"data_offsets":[0,4],"shape":[1],"dtype":"F32"}}"#,
      8, 2
    ),
  ])
  func validHeadersAreAccepted(_ header: String, _ data: Int, _ count: Int) throws {
    #expect(try Safetensors(parsing: file(header, data: data)).tensors.count == count)
  }

  @Test func everyTruncationIsRejected() {
    let bytes = sample.bytes
    for count in 0..<bytes.count {
      #expect(throws: InputError.self) { try Safetensors(parsing: Array(bytes[..<count])) }
    }
    #expect(throws: InputError.self) { try Safetensors(parsing: bytes + [0]) }
  }

  /// A changed header is rejected, or read as other names, metadata or types of the same bytes. It never crashes.
  @Test func everyFlippedBitOfTheHeaderIsHandled() throws {
    let bytes = sample.bytes
    let elements = sample.tensors.reduce(0) { $0 + $1.value.shape.count }
    let header = 8 + Int(bytes[0]) + Int(bytes[1]) << 8
    var accepted = 0
    for index in 0..<header {
      for bit in 0..<8 {
        var flipped = bytes
        flipped[index] ^= 1 << bit
        do {
          let read = try Safetensors(parsing: flipped)
          #expect(read.tensors.reduce(0) { $0 + $1.value.shape.count } == elements)
          accepted += 1
        } catch is InputError {}
      }
    }
    #expect(accepted > 0 && accepted < header * 4, "most flips must be detected: \(accepted) of \(header * 8) were not")
  }

  @Test func fileErrorsContainThePath() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("safetensors-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let path = folder.appendingPathComponent("x.safetensors").path
    try sample.write(to: path)
    expectEqual(try Safetensors(contentsOf: path), sample)
    try writeAtomically([1, 2, 3], to: path)
    let error = #expect(throws: WorldError.self) { try Safetensors(contentsOf: path) }
    #expect(error?.description.hasPrefix(path) == true && error?.description.contains("3 bytes") == true)
    #expect(throws: WorldError.self) { try Safetensors(contentsOf: path + ".none") }
  }

  // MARK: Modules

  @Test func loadingListsEveryMismatch() throws {
    var random = Seed(1).stream("load")
    var network = MultilayerPerceptron(3, hidden: [4], 2, using: &random)
    let before = network.parameters.map { $0.value.array }
    var tensors = network.parameters
    tensors.remove(at: 1)
    tensors[0].value = .zeros([5, 3])
    tensors.append(("layers.9.weight", .zeros([1])))
    let error = #expect(throws: InputError.self) { try network.load(tensors) }
    #expect(
      error?.description
        == "the weights do not fit this network; missing: layers.0.bias; unexpected: layers.9.weight; "
        + "mismatched: layers.0.weight is [5, 3] float32, not [4, 3] float32")
    #expect(network.parameters.map { $0.value.array } == before)
  }

  @Test func loadingUsesOnlyTheGivenPrefix() throws {
    var random = Seed(2).stream("load")
    let (actor, critic) = (Linear(3, 2, using: &random), Linear(4, 1, using: &random))
    let file = try Safetensors(parsing: Safetensors(actor.named("actor.") + critic.named("critic.")).bytes)
    var other = Linear(4, 1, using: &random)
    try other.load(file.tensors, prefix: "critic.")
    #expect(other.weight.array == critic.weight.array)
    #expect(throws: InputError.self) { try other.load(file.tensors, prefix: "actor.") }
  }
}
