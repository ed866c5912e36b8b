import Core
import Environments

/// The benchmarks of `pixelrl bench`.
enum Benchmarks {
  /// - Parameters:
  ///   - threads: the number of threads of benchmarks that do not set their own.
  ///   - picture: the path of a file that the PNG benchmarks may write.
  static func all(threads: Int, picture: String) -> [Benchmark] {
    let torch = "PyTorch"
    func benchmark(
      _ id: String, _ name: String, _ ours: [String], _ peers: [(String, [String])], threads count: Int? = nil,
      rounds: Int = .max
    ) -> Benchmark {
      Benchmark(
        id: id, name: name, ours: ours, peers: peers.map { .init(label: $0.0, side: .script($0.1)) },
        threads: count ?? threads, rounds: rounds)
    }
    func convolutions(_ part: String, _ name: String) -> Benchmark {
      benchmark(
        part, name, [part],
        [
          ("\(torch) NCHW", ["convolutions.py", part]),
          ("\(torch) channels last", ["convolutions.py", part, "--channels-last", "1"]),
        ])
    }
    var benchmarks = [
      benchmark("sac", "SAC update, batch 256", ["sac"], [(torch, ["sac.py"])]),
      benchmark(
        "sac", "SAC update with LayerNorm, batch 256", ["sac", "--layer-norm", "1"],
        [(torch, ["sac.py", "--layer-norm", "1"])]),
      convolutions("encoder", "SAC+AE encoder, forward and backward, batch 128"),
      convolutions("decoder", "SAC+AE decoder, forward and backward, batch 128"),
      benchmark("encode", "encode one frame 64x64", ["encode"], [(torch, ["keypoint.py", "encode"])]),
      benchmark("ae-step", "keypoint autoencoder step, batch 32", ["ae-step"], [(torch, ["keypoint.py", "step"])]),
      benchmark(
        "environment", "environment step and 84x84 frame", ["environment"],
        [("Gymnasium Pendulum-v1", ["environment.py"])], threads: 1),
      benchmark(
        "replay", "replay batch 128 out of 1,000,000", ["replay"], [("NumPy", ["replay.py"])], threads: 1),
      benchmark(
        "png", "PNG 84x84", ["png", "--picture", picture], [("Pillow", ["png.py", "--picture", picture])], threads: 1),
      benchmark(
        "png", "PNG grid of 24 frames", ["png-grid", "--picture", picture],
        [("Pillow", ["png.py", "--picture", picture])], threads: 1),
    ]
    for count in [1, 2, 4] {
      let processes = ["--processes", "\(count)"]
      benchmarks.append(
        benchmark(
          "gym", "Pong, an agent step in each of \(counted(count, "Python process", plural: "Python processes"))",
          ["gym"] + processes,
          [
            ("Python alone", ["gym.py"] + processes),
            ("Gymnasium's AtariPreprocessing", ["gym.py", "--wrapper", "1"] + processes),
          ], threads: 1))
    }
    for (workload, script, name) in [
      ("sac", ["sac.py"], "SAC update"), ("ae-step", ["keypoint.py", "step"], "keypoint autoencoder step"),
    ] {
      for threads in [1, 2] {
        for batch in [32, 128, 512, 1024] {
          let size = ["--batch", "\(batch)"]
          benchmarks.append(
            benchmark(
              "growth", "\(name), batch \(batch), \(counted(threads, "thread"))", [workload] + size,
              [(torch, script + size)], threads: threads, rounds: 3))
        }
      }
    }
    return benchmarks + updates + modelBased + busy + joint + scenes
  }

  /// SAC's update with both cores, compared with one thread and with the peers, for batches of 128 to 1024.
  private static var updates: [Benchmark] {
    [128, 256, 512, 1024].map { batch in
      let size = ["--batch", "\(batch)"]
      return Benchmark(
        id: "updates", name: "SAC update, batch \(batch), 2 threads", ours: ["sac"] + size,
        peers: [
          .init(label: "1 thread", side: .workloads(["sac", "--threads", "1"] + size)),
          .init(label: "PyTorch", side: .script(["sac.py"] + size)),
          .init(label: "JAX, compiled", side: .script(["sac_jax.py"] + size)),
        ], threads: 2)
    }
  }

  /// Steps of MR.Q: one update of critics and policy each, and its share of the encoder's burst.
  private static var modelBased: [Benchmark] {
    [1, 2].map { threads in
      Benchmark(
        id: "mrq", name: "4 MR.Q steps, batch 128, \(counted(threads, "thread"))", ours: ["mrq"],
        peers: [.init(label: "JAX, compiled", side: .script(["mrq_jax.py"]))], threads: threads)
    }
  }

  /// SAC's update beside another process that keeps a core busy, and beside another update.
  private static var busy: [Benchmark] {
    func update(_ threads: Int, beside: String? = nil) -> [String] {
      ["sac", "--threads", "\(threads)"] + (beside.map { ["--beside", $0] } ?? [])
    }
    return [
      Benchmark(
        id: "busy", name: "SAC update, 2 threads, beside a busy process", ours: update(2, beside: "spin"),
        peers: [
          .init(label: "1 thread, alone", side: .workloads(update(1))),
          .init(label: "1 thread, beside a busy process", side: .workloads(update(1, beside: "spin"))),
        ], threads: 2),
      Benchmark(
        id: "busy", name: "SAC update, 2 threads, beside the same", ours: update(2, beside: "same"),
        peers: [.init(label: "1 thread, beside the same", side: .workloads(update(1, beside: "same")))], threads: 2),
    ]
  }

  /// The software renderer compared with MuJoCo's: CPU milliseconds per frame, in the simplest style and in
  /// dm_control's. Empty without the package trait `MuJoCo`.
  private static var scenes: [Benchmark] {
    #if MuJoCo
      let tasks =
        [
          CheetahRun.self, ReacherEasy.self, BallInCupCatch.self, WalkerWalk.self, FingerSpin.self, HopperHop.self,
          AcrobotSwingup.self, PointMassEasy.self, HumanoidWalk.self, FishSwim.self, Swimmer6.self, QuadrupedWalk.self,
          ManipulatorBringBall.self, MuJoCoCartPoleSwingup.self,
        ] as [any BuiltInEnvironment.Type]
      let styles = [("bare", ["--samples", "1", "--shadows", "0"]), ("full", ["--samples", "4", "--shadows", "1"])]
      return styles.flatMap { name, style in
        tasks.map { task in
          func draw(_ renderer: Renderer) -> [String] {
            ["scene", "--clock", "processor", "--env", task.id, "--renderer", renderer.rawValue] + style
          }
          return Benchmark(
            id: "rendering", name: "\(task.id) 84x84, \(name)", ours: draw(.software),
            peers: [.init(label: "MuJoCo's OpenGL", side: .workloads(draw(.gl)))], threads: 1)
        }
      }
    #else
      return []
    #endif
  }
}
