import Core
import Foundation
import Python
import Testing

/// `pixelrl import`, `pretrain-ae` without an environment, and `pixelrl encode`.
@Suite(.enabled(if: Python.has("PIL", "numpy"), "needs PIXELRL_PYTHON, a Python with Pillow: see 'make readers'"))
struct ImportCommandTests {
  /// Pillow writes 24 pictures of a square that moves.
  private func withPictures(_ body: (Program) throws -> Void) throws {
    let script = """
      import os, sys
      import numpy as np
      from PIL import Image
      os.mkdir(sys.argv[1] + "/walk")
      for i in range(24):
        picture = np.full((48, 64, 3), 40, np.uint8)
        picture[10 + i:22 + i, 12 + i:26 + i] = 255, 160, 30
        Image.fromarray(picture).save(f"{sys.argv[1]}/walk/frame{i}.png")
      """
    try withProgram { program in
      _ = try Python.run(script, [program.folder])
      try body(program)
    }
  }

  @Test func fromPicturesToLatents() throws {
    try withPictures { program in
      let made = try program("import", "walk", "--size", "32", "--json")
      #expect(made.code == 0, "\(made.error)")
      #expect(made.output.contains("64x48 pictures, cropped to the part in their middle, as 32x32 rgb frames\n"))
      #expect(made.lastLine.contains(#""dataset":"datasets/walk""#))
      let again = try program("import", "walk")
      #expect(again.code == 64 && again.error.contains("datasets/walk exists and is not empty"))

      let trained = try program(
        "pretrain-ae", "--dataset", "datasets/walk", "--ae-steps", "3", "--ae-batch", "2", "--filters", "4",
        "--keypoints", "2", "--out", "runs/a")
      #expect(trained.code == 0 && trained.output.contains("22 frames of datasets/walk"), "\(trained.error)")
      let resumed = try program("pretrain-ae", "--resume", "runs/a")
      #expect(resumed.code == 0 && resumed.output.contains("has finished already"), "\(resumed.error)")
      for command in ["inspect", "report"] { #expect(try program(command, "runs/a").code == 0) }

      for (source, file) in [("walk", "a.npy"), ("datasets/walk", "b.npy")] {
        let encoded = try program("encode", source, "--autoencoder", "runs/a", "--out", file)
        #expect(encoded.code == 0 && encoded.output.hasPrefix("24 latents of size 4: \(file)\n"), "\(encoded.error)")
      }
      let script = """
        import sys, numpy as np
        a, b = (np.load(f"{sys.argv[1]}/{name}.npy") for name in "ab")
        assert (a == b).all() and np.isfinite(a).all() and a.std() > 0.1
        print(a.dtype, a.shape)
        """
      #expect(try Python.run(script, [program.folder]) == "float32 (24, 4)\n")

      let refused = try program("encode", "walk", "--autoencoder", "runs/a", "--out", "a.npy")
      #expect(refused.code == 64 && refused.error.contains("a.npy exists"))
      let train = try program("train", "--env", "catch", "--autoencoder", "runs/a")
      #expect(train.code == 64 && train.error.contains("runs/a is an autoencoder for import:walk"))
    }
  }

  /// The whole path with frames that are not square.
  @Test func framesNeedNotBeSquare() throws {
    try withPictures { program in
      let made = try program("import", "walk", "--size", "48x36", "--fit", "letterbox", "--json", "--out", "d")
      #expect(made.code == 0 && made.output.contains("64x48 pictures, resized, as 48x36 rgb frames\n"), "\(made.error)")
      #expect(made.lastLine.contains(#""width":48,"height":36"#))
      let tall = try program("import", "walk", "--size", "36x48", "--out", "e")
      #expect(tall.output.contains("64x48 pictures, cropped to the part in their middle, as 36x48 rgb frames\n"))
      let trained = try program(
        "pretrain-ae", "--dataset", "d", "--ae-steps", "3", "--ae-batch", "2", "--filters", "4", "--keypoints", "2",
        "--out", "runs/a")
      #expect(trained.code == 0, "\(trained.error)")
      #expect(try program("inspect", "runs/a").code == 0)
      for (source, file) in [("walk", "a.npy"), ("d", "b.npy")] {
        let encoded = try program("encode", source, "--autoencoder", "runs/a", "--out", file)
        #expect(encoded.code == 0 && encoded.output.contains("as 48x36 ") || source == "d", "\(encoded.error)")
      }
      #expect(
        try readBytes(from: "\(program.folder)/a.npy") == readBytes(from: "\(program.folder)/b.npy"))
    }
  }

  /// Wrong usage prints one line on standard error, and leaves no files.
  @Test func wrongUsageSaysWhatToType() throws {
    try withPictures { program in
      #expect(try program("import", "walk", "--out", "d").code == 0)
      let wrong = [
        ("import nothing", "nothing does not exist: give a folder of PNG or JPEG files"),
        ("import walk --fit cut", "--fit takes crop, letterbox or stretch, not 'cut'"),
        ("import walk --color red", "--color takes rgb or gray, not 'red'"),
        (
          "import walk --size 4",
          "--size takes a width and height such as 96x64, or one number for a square; each from 8 to 1024, not '4'"
        ),
        ("import walk --every 0", "--every takes a whole number of at least 1, not '0'"),
        ("import walk --actions-lead in", "--actions-lead takes from or to, not 'in'"),
        ("import d", "d is a dataset already: train on it with 'pixelrl pretrain-ae --dataset d'"),
        ("pretrain-ae --dataset d --env catch", "which need no environment: leave out --env"),
        ("pretrain-ae --dataset d --size 84", "--size has no effect on the imported pictures of d"),
        ("pretrain-ae --dataset d --no-shadows", "--shadows has no effect on the imported pictures of d"),
        ("pretrain-ae --dataset d --collect-steps 9", "--collect-steps has no effect on the imported pictures"),
        (
          "pretrain-ae --dataset d --action-weight 1",
          "d has no actions, which --action-weight needs: use --action-weight 0"
        ),
        ("pretrain-ae --dataset d --next-frame 1", "d has no actions, which --next-frame needs: use --next-frame 0"),
        ("encode walk --autoencoder d --out z.npy", "d has no autoencoder"),
      ]
      for (line, part) in wrong {
        let outcome = try program.run(line.split(separator: " ").map(String.init))
        #expect(outcome.code == 64 && outcome.errors.count == 1, "\(line): \(outcome.error)")
        #expect(outcome.error.contains(part), "\(line): \(outcome.error)")
      }
      #expect(try FileManager.default.contentsOfDirectory(atPath: program.folder).sorted() == ["d", "walk"])
    }
  }
}
