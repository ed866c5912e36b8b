import Runs
import Tensors
import Testing

@testable import Training

@Suite struct MachineSettingsTests {
  /// The number of threads is a setting of the current thread, so each test sets its own.
  @Test func aResumedRunKeepsItsThreads() {
    let before = Threads.count
    defer { Threads.set(before) }
    var settings = MachineSettings()
    #expect(settings.threads == 1)
    var facts = RunDirectory.Facts(
      command: "train", environment: "catch", member: "sac", seed: 0, commandLine: [], version: "1")
    facts.threads = 3
    settings.threads = 0
    settings.apply(resuming: facts)
    #if OneDNN
      #expect(Threads.count == 3)
    #endif
    settings.threads = 2
    settings.apply(resuming: facts)
    #if OneDNN
      #expect(Threads.count == 2)
    #endif
    settings.threads = 0
    settings.apply(resuming: nil)
    #expect((1...Host.availableCores).contains(Threads.count))
  }
}
