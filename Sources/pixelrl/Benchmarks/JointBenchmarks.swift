import Core

/// Training the agent together with the encoder, compared with PyTorch with the same networks, schedule and batch. An
/// iteration is two updates; only the second one updates the actor.
///
/// With one thread, CPU time is measured, which does not depend on how busy the machine is.
extension Benchmarks {
  static var joint: [Benchmark] {
    var benchmarks: [Benchmark] = []
    for threads in [1, 2] {
      benchmarks += [
        benchmark("sac-ae", "SAC+AE, batch 128", threads, peers: sacAE),
        benchmark("keypoint", "keypoint encoder, joint, batch 32", threads, peers: sharing("keypoint")),
        benchmark("augmented", "conv encoder, augmented, batch 64", threads, peers: sharing("augmented")),
      ]
      // How many times as long an update takes if the encoder is trained.
      benchmarks.append(
        benchmark(
          "keypoint", "keypoint encoder, frozen, batch 32", threads, part: "frozen",
          peers: [("joint", .workloads(options("keypoint", threads)))]))
      // The time to sample frames and convert them to floats, relative to an update that does neither.
      for (scheme, name, batch) in [
        ("sac-ae", "SAC+AE", 128), ("keypoint", "keypoint", 128), ("augmented", "conv", 128),
      ] {
        benchmarks.append(
          benchmark(
            scheme, "\(name), update on prepared frames, batch \(batch)", threads, part: "ready", batch: batch,
            peers: [("preparing frames", .workloads(options(scheme, threads, part: "frames", batch: batch)))]))
      }
    }
    for threads in [1, 2] {
      for (scheme, name) in [("sac-ae", "SAC+AE"), ("keypoint", "keypoint, joint"), ("augmented", "conv, augmented")] {
        for batch in [16, 32, 64, 128, 256] {
          benchmarks.append(
            benchmark(
              scheme, "\(name), batch \(batch)", threads, batch: batch, peers: Array(sharing(scheme).suffix(1)),
              id: "joint-growth", rounds: 3))
        }
      }
    }
    return benchmarks
  }

  private typealias Side = (label: String, script: Benchmark.Side)

  /// PyTorch with the update order of SAC+AE's authors, and with ours.
  private static let sacAE: [Side] =
    [
      ("PyTorch, authors' order, NCHW", .script(["sac_ae.py"])),
      ("PyTorch, authors' order, channels last", .script(["sac_ae.py", "--channels-last", "1"])),
    ] + sharing("sac-ae")

  /// PyTorch with our update order: all losses share the encoder's output.
  private static func sharing(_ scheme: String) -> [Side] {
    [
      ("PyTorch, our order, NCHW", .script(["joint.py", "--scheme", scheme])),
      ("PyTorch, our order, channels last", .script(["joint.py", "--scheme", scheme, "--channels-last", "1"])),
    ]
  }

  private static func options(_ scheme: String, _ threads: Int, part: String = "whole", batch: Int? = nil) -> [String] {
    ["joint", "--scheme", scheme, "--part", part] + extra(threads, batch)
  }

  private static func extra(_ threads: Int, _ batch: Int?) -> [String] {
    (batch.map { ["--batch", "\($0)"] } ?? []) + (threads == 1 ? ["--clock", "processor"] : [])
  }

  private static func benchmark(
    _ scheme: String, _ name: String, _ threads: Int, part: String = "whole", batch: Int? = nil, peers: [Side],
    id: String = "joint", rounds: Int = .max
  ) -> Benchmark {
    Benchmark(
      id: id, name: "\(name), \(counted(threads, "thread"))",
      ours: options(scheme, threads, part: part, batch: batch),
      peers: peers.map { label, side in
        switch side {
        case .script(let words): .init(label: label, side: .script(words + extra(threads, batch)))
        case .workloads: .init(label: label, side: side)
        }
      }, threads: threads, rounds: rounds)
  }
}
