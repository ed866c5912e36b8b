import Core
import Formats
import Foundation
import Pixels
import Testing

/// `pixelrl serve` and `pixelrl render`.
@Suite struct ServeTests {
  /// The first line of `pixelrl serve`, which describes what is served, and its answers to lines of JSON.
  private func serve(
    _ program: Program, _ arguments: String, _ requests: [String]
  ) throws -> (facts: JSON, answers: [JSON]) {
    let path = try #require(Program.path?.path)
    let lines = requests.map { "'\($0)'" }.joined(separator: " ")
    let outcome = try program.run(
      ["-c", "printf '%s\\n' \(lines) | '\(path)' serve \(arguments)"], of: URL(filePath: "/bin/sh"))
    #expect(outcome.code == 0, "\(outcome.error)")
    let answers = try outcome.output.split(separator: "\n").map { try JSON(parsing: String($0)) }
    try #require(answers.count == requests.count + 1)
    return (answers[0], Array(answers.dropFirst()))
  }

  private func answers(_ program: Program, _ arguments: String, _ requests: String...) throws -> [JSON] {
    try serve(program, arguments, requests).answers
  }

  /// A state that is too large, or for which the policy has no finite action, is an error, and the policy forgets it.
  @Test func aStateThatIsTooLargeIsRefused() throws {
    try withProgram { program in
      let training = try program(
        "train", "--env", "cartpole-swingup", "--observe", "state", "--agent", "ppo", "--env-steps", "200", "--hidden",
        "8",
        "--time-limit", "100", "--history-frames", "3", "--history-actions", "2", "--evaluate-every", "0",
        "--evaluation-episodes", "1", "--out", "run")
      try #require(training.code == 0, "\(training.error)")
      let (first, second) = (
        #"{"op":"act","state":[0.1,1,0,0.2,-0.3]}"#, #"{"op":"act","state":[0.2,0.9,0.1,0.4,-0.1]}"#
      )
      let expected = try answers(program, "--policy run", first, second)
      #expect(expected.allSatisfy { ($0["action"]?.array ?? []).contains { $0.double != nil } })
      #expect(expected[0] != expected[1])
      let found = try answers(
        program, "--policy run", first, #"{"op":"act","state":[1e30,1,0,0,1e308]}"#,
        #"{"op":"act","state":[3e38,-3e38,3e38,-3e38,3e38]}"#, second)
      #expect([found[0], found[3]] == expected)
      #expect(found[1]["error"]?.text?.contains("is 1e+308: send a number of at most 3.4028235e+38") == true)
      #expect(found[2]["error"]?.text?.contains("no finite action") == true, "\(found[2])")
    }
  }

  /// Latents begin with the server, and hold the actions as the environment clips them.
  @Test func latentsAreThoseThatAnAgentWouldObserve() throws {
    try withProgram { program in
      let flags = ["pretrain-ae", "--env", "cartpole-swingup", "--collect-steps", "300", "--out", "ae"]
      let pretraining = try program.run(flags + quickPretraining)
      try #require(pretraining.code == 0, "\(pretraining.error)")
      let server = "cartpole-swingup --autoencoder ae"
      func latent(_ requests: String...) throws -> [Double] {
        let (facts, answers) = try serve(program, server, requests)
        let latent = (answers.last?["latent"]?.array ?? []).compactMap(\.double)
        #expect(latent.count == facts["latent"]?.int && latent.contains { $0 != 0 }, "\(requests)")
        return latent
      }
      let reset = #"{"op":"reset","seed":0}"#
      let right = try latent(reset, #"{"op":"step","action":[1]}"#)
      #expect(try latent(reset, #"{"op":"step","action":[5]}"#) == right)
      #expect(try latent(reset, #"{"op":"step","action":[-1]}"#) != right)
      // Without a reset: the episode of seed 0.
      #expect(try latent(#"{"op":"frame"}"#) == latent(reset))
      #expect(try latent(#"{"op":"step","action":[1]}"#) == right)
    }
  }

  @Test func theLargestSeedIsSaid() throws {
    try withProgram { program in
      let found = try answers(
        program, "catch", #"{"op":"reset","seed":9223372036854775807}"#, #"{"op":"reset","seed":9223372036854775808}"#,
        #"{"op":"reset","seed":-1}"#)
      #expect(found[0]["ending"]?.text == "running")
      for answer in found[1...] {
        #expect(answer["error"]?.text == "\"seed\" takes a whole number from 0 to 9223372036854775807")
      }
    }
  }

  /// An episode of catch has nine steps. Its last frame is written, and then the first one of the next episode.
  @Test func renderWritesTheLastFrameOfAnEpisode() throws {
    try withProgram { program in
      #expect(try program("render", "catch", "--frames", "11", "--out", "frames").code == 0)
      let steps = try (0..<11).map { index in
        try PNG.read("\(program.folder)/frames/frame-\(index < 10 ? "0000" : "000")\(index).png").text["step"]
      }
      #expect(steps == ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "0"])
    }
  }
}
