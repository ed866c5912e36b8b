import Testing

@testable import Environments

/// Names such as `gym:ALE/Pong-v5?mode=1`.
@Suite struct GymNameTests {
  @Test(arguments: [
    ("lidar=False", #"{"lidar":false}"#), ("lidar=True&gap=None", #"{"lidar":true,"gap":null}"#),
    ("lidar=false&gap=3", #"{"lidar":false,"gap":3}"#), ("color=Falsetto", #"{"color":"Falsetto"}"#),
    ("color=", #"{"color":""}"#),
  ])
  func argumentsAreJSONOrConstantsOfPython(_ arguments: String, _ wanted: String) throws {
    let name = try GymName("gym:birds:Bird-v0?\(arguments)")
    #expect(name.name == "birds:Bird-v0")
    #expect(name.options.filter { !$0.isWhitespace } == wanted)
  }
}
