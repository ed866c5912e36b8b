import Core
import Foundation
import Pixels
import Python
import Testing

@testable import Runs

@Suite(.enabled(if: Python.has("tensorboard", "PIL"), "needs PIXELRL_PYTHON, a Python with TensorBoard and Pillow"))
struct TensorBoardTests {
  /// Prints what TensorBoard reads from a folder. With a second argument, it first loads the folder, waits for a line
  /// on its standard input, and loads it again.
  private static let script = """
    import io, sys
    from PIL import Image
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.plugins.hparams import metadata
    everything = {"scalars": 0, "images": 0, "tensors": 0}
    accumulator = EventAccumulator(sys.argv[1], size_guidance=everything)
    if len(sys.argv) > 2:
      accumulator.Reload()
      import os
      print("watching", flush=True)
      sys.stdin.readline()
    accumulator.Reload()
    tags = accumulator.Tags()
    for tag in sorted(tags["scalars"]):
      print(tag, [(e.step, round(e.value, 4)) for e in accumulator.Scalars(tag)])
    for tag in tags["images"]:
      print(tag, [(e.step, e.width, e.height, Image.open(io.BytesIO(e.encoded_image_string)).size)
                  for e in accumulator.Images(tag)])
    for tag in sorted(tags["tensors"]):
      texts = [[s.decode() for s in e.tensor_proto.string_val] for e in accumulator.Tensors(tag)]
      print(tag, accumulator.SummaryMetadata(tag).plugin_data.plugin_name, texts)
    content = accumulator.SummaryMetadata("_hparams_/session_start_info").plugin_data.content
    session = metadata.parse_session_start_info_plugin_data(content)
    print(session.group_name, {k: getattr(v, v.WhichOneof("kind")) for k, v in sorted(session.hparams.items())})
    """

  private static let expected = """
    evaluation/deviation [(20, 9.5481), (40, 18.9751), (60, 28.4029)]
    evaluation/return [(20, 6.5), (40, 13.1667), (60, 19.8333)]
    loss [(10, 0.1), (20, 0.05), (30, 0.0333), (40, 0.025), (50, 0.02), (60, 0.0167)]
    return [(10, nan), (20, nan), (30, nan), (40, nan), (50, nan), (60, nan)]
    reconstructions [(20, 3, 2, (3, 2)), (40, 3, 2, (3, 2)), (60, 3, 2, (3, 2))]
    _hparams_/session_start_info hparams [[]]
    settings/agent text [['| setting | value |\\n|---|---|\\n| hidden | 256 |\\n| norm | true |']]
    why text [['to see']]
    run {'agent/hidden': 256.0, 'agent/norm': True}

    """

  @Test func aWholeRunIsShown() throws {
    try withFolder { folder in
      let run = try sampleRun(in: folder)
      do {
        var log = try RunLog(in: run)
        try appendSteps(&log, 1...60)
      }
      let text = try Python.run(Self.script, [run.path])
      #expect(text == Self.expected)
    }
  }

  /// Each point is shown once, both by a TensorBoard that starts afterwards and by one that was running while the run
  /// was killed and resumed.
  @Test(arguments: [false, true])
  func aResumedRunHasNoDuplicates(isWatching: Bool) throws {
    try withFolder { folder in
      let run = try sampleRun(in: folder)
      let position: RunLog.Position
      do {
        var log = try RunLog(in: run)
        try appendSteps(&log, 1...25)
        position = log.position
        try appendSteps(&log, 26...50)
      }
      let watcher = isWatching ? try Python.Conversation(Self.script, [run.path, "watch"]) : nil
      if let watcher { #expect(try watcher.line() == "watching") }
      do {
        var log = try RunLog(in: run, from: position, step: 25)
        try appendSteps(&log, 26...60)
      }
      let text = try watcher?.finish(saying: "\n") ?? Python.run(Self.script, [run.path])
      #expect(text == Self.expected)
    }
  }
}

@Suite(
  .enabled(if: Python.finds("stable_baselines3"), "needs PIXELRL_PYTHON, a Python with Stable-Baselines3"),
  .enabled(if: Python.has("matplotlib", "pandas", "gymnasium"), "needs Python with matplotlib, pandas and gymnasium"))
struct StableBaselinesTests {
  /// Reads the episodes with Stable-Baselines3's functions, and the evaluations as rl-zoo3's `all_plots` does.
  @Test func episodesAndEvaluationsAreRead() throws {
    try withFolder { folder in
      let run = try sampleRun(in: folder)
      do {
        var log = try RunLog(in: run)
        try appendSteps(&log, 1...40)
      }
      let script = """
        import sys, types, importlib.util, numpy as np
        # Import only the readers, as importing the package would import PyTorch.
        folders = importlib.util.find_spec("stable_baselines3").submodule_search_locations
        package = sys.modules["stable_baselines3"] = types.ModuleType("stable_baselines3")
        package.__path__ = list(folders)
        from stable_baselines3.common.monitor import load_results
        from stable_baselines3.common.results_plotter import ts2xy
        steps, returns = ts2xy(load_results(sys.argv[1]), "timesteps")
        print(len(steps), steps[-1], returns[-1])
        log = np.load(sys.argv[1] + "/evaluations.npz")
        print(log["timesteps"], log["results"].mean(axis=1), log["ep_lengths"][:, 0])
        """
      #expect(
        try Python.run(script, [run.path]) == "40 360 10.0\n[20 40] [ 6.5        13.16666667] [20 40]\n")
    }
  }
}
