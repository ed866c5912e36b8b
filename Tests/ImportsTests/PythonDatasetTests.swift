import Core
import Formats
import Foundation
import Pixels
import Python
import Runs
import Testing

@testable import Imports

@Suite(.enabled(if: Python.has("minari", "h5py"), "needs PIXELRL_PYTHON, a Python with Minari: see 'make readers'"))
struct PythonDatasetTests {
  /// Three episodes of random frames; the second one terminates, and the third has no action.
  private func dataset(_ space: ActionSpace, in folder: String) throws -> FrameDataset {
    var manifest = FrameDatasetManifest(
      imported: ImportedPictures(
        source: "drawn", kind: "frames", fit: .crop, every: 1, sizes: [], stateNames: ["x", "y"], actionSpace: space),
      size: 8, format: .rgb)
    manifest.policy = "random"
    var random = Seed(4).stream("frames")
    func frame() -> PixelBuffer {
      PixelBuffer(
        width: 8, height: 8, format: .rgb, bytes: (0..<192).map { _ in UInt8(random.integer(below: 256)) })
    }
    var writer = try FrameDatasetWriter(
      path: "\(folder)/data", manifest: manifest, frame: frame(), stateSize: 2, actionSize: space.arrayCount)
    for (episode, steps) in [3, 2, 0].enumerated() {
      try writer.start(frame(), state: [Double(episode), 0])
      for step in 0..<steps {
        let action = space.isContinuous ? [0.25 * Double(step), -0.5] : [Double(step)]
        let isLast = episode == 1 && step == steps - 1
        try writer.append(
          action: action, Step(reward: 0.5 + Double(step), discount: isLast ? 0 : 1), frame(),
          state: [Double(episode), Double(step + 1)])
      }
    }
    try writer.commit()
    return try FrameDataset(path: "\(folder)/data")
  }

  private static let spaces: [ActionSpace] = [.continuous(low: [-2, -1], high: [2, 1]), .discrete(count: 4)]

  @Test(arguments: spaces) func minariReadsWhatWeWrote(_ space: ActionSpace) throws {
    try withFolder { folder in
      let data = try dataset(space, in: folder)
      let path = "\(folder)/made/drawn-v3"
      try DatasetExport(data, to: .minari, space, stateNames: ["x", "y"]).write(to: path)
      let read = """
        import sys, minari, numpy as np
        dataset = minari.MinariDataset(sys.argv[1] + "/data")
        frames, states = np.load(sys.argv[2] + "/frames.npy"), np.load(sys.argv[2] + "/states.npy")
        start = 0
        for episode in dataset.iterate_episodes():
          end = start + len(episode.observations)
          assert (episode.observations == frames[start:end]).all()
          assert (episode.infos["state"] == states[start:end]).all()
          print(episode.actions.tolist(), episode.rewards.tolist(), episode.terminations.tolist(), episode.truncations.tolist())
          start = end
        print(dataset.spec.dataset_id, dataset.spec.action_space, dataset.spec.observation_space.shape)
        """
      let lines = try Python.run(read, [path, data.path]).split(separator: "\n").map(String.init)
      let (actions, others, box) =
        space.isContinuous
        ? (
          "[[0.0, -0.5], [0.25, -0.5], [0.5, -0.5]]", "[[0.0, -0.5], [0.25, -0.5]]",
          "Box([-2. -1.], [2. 1.], (2,), float32)"
        )
        : ("[0, 1, 2]", "[0, 1]", "Discrete(4)")
      #expect(
        lines == [
          "\(actions) [0.5, 1.5, 2.5] [False, False, False] [False, False, True]",
          "\(others) [0.5, 1.5] [False, True] [False, False]", "drawn-v3 \(box) (8, 8, 3)",
        ])
    }
  }

  @Test(arguments: spaces) func aMinariDatasetIsImported(_ space: ActionSpace) throws {
    try withFolder { folder in
      let data = try dataset(space, in: folder)
      try DatasetExport(data, to: .minari, space, stateNames: ["x", "y"]).write(to: "\(folder)/drawn-v0")
      let back = try imported("minari:\(folder)/drawn-v0", to: "\(folder)/back")
      // The episode without an action is not in the Minari dataset.
      let kept = data.count - 1
      #expect(back.count == kept && back.episodes == Array(data.episodes.prefix(kept)))
      #expect(back.frames.elements == Array(data.frames.elements.prefix(kept * 192)))
      #expect(back.actions.elements == Array(data.actions.elements.prefix(kept * space.arrayCount)))
      #expect(back.rewards == Array(data.rewards.prefix(kept)) && back.discounts == Array(data.discounts.prefix(kept)))
      #expect(back.manifest.imported?.actionSpace == space)
      #expect(back.manifest.imported?.kind == "2 episodes of a Minari dataset")
    }
  }

  @Test func wrongDatasetsAreErrorsAndLeaveNothing() throws {
    try withFolder { folder in
      let space = Self.spaces[1]
      let data = try dataset(space, in: folder)
      func export(_ library: PythonLibrary, _ name: String) throws {
        try DatasetExport(data, to: library, space, stateNames: []).write(to: "\(folder)/\(name)")
      }
      #expect(throws: InputError("the name of a Minari dataset ends with its version, such as drawn-v0")) {
        try export(.minari, "drawn")
      }
      try export(.minari, "drawn-v0")
      #expect(throws: InputError.self) { try export(.minari, "drawn-v0") }
      let numbers = """
        import os, sys, numpy as np, gymnasium as gym, minari
        from minari.data_collector import EpisodeBuffer
        os.environ["MINARI_DATASETS_PATH"] = sys.argv[1]
        box = gym.spaces.Box(-1, 1, (3,))
        episode = EpisodeBuffer(id=0, observations=np.zeros((2, 3), np.float32), actions=np.zeros((1, 3), np.float32),
          rewards=[0], terminations=[False], truncations=[True], infos={})
        minari.create_dataset_from_buffers("numbers-v0", [episode], observation_space=box, action_space=box)
        """
      _ = try Python.run(numbers, [folder])
      for (source, message) in [
        ("minari:\(folder)/numbers-v0", "Minari: the observations are not pictures"),
        ("minari:\(folder)/nothing", "Minari: "), ("minari:", "give the name of a dataset"),
      ] {
        let error = #expect(throws: (any Error).self) { try imported(source, to: "\(folder)/back") }
        #expect("\(error.map { "\($0)" } ?? "")".contains(message), "\(source): \("\(error!)")")
        #expect(!exists("\(folder)/back"))
      }
    }
  }

  /// LeRobot needs PyTorch, and is not installed here: experiments/checks/elsewhere/exchange.py checks it.
  @Test(.enabled(if: !Python.has("lerobot"), "LeRobot is installed")) func aMissingLibraryIsAnError() throws {
    try withFolder { folder in
      let data = try dataset(Self.spaces[0], in: folder)
      let error = #expect(throws: WorldError.self) {
        try DatasetExport(data, to: .lerobot, Self.spaces[0], stateNames: []).write(to: "\(folder)/made")
      }
      #expect(error?.description.contains("-m pip install lerobot") == true)
      #expect(try folderEntries(folder) == ["data"])
    }
  }
}
