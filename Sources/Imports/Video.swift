import Core

/// The pictures of a video, which the user's `ffmpeg` decodes.
struct Video: PictureSource {
  let path: String
  /// Of every so many pictures, the first is read.
  let every: Int

  static let endings = [
    "mp4", "m4v", "mkv", "webm", "mov", "avi", "mpg", "mpeg", "ts", "ogv", "wmv", "flv", "gif", "apng",
  ]

  var title: String { "a video" }
  var count: Int? { nil }

  func read(_ body: (SourcePicture) throws -> Void) throws -> String? {
    let stream = try PictureStream(
      [
        "ffmpeg", "-v", "error", "-nostdin", "-i", "file:\(path)", "-map", "0:v:0",
        // Evenly spaced in time, so that ffmpeg neither repeats pictures nor leaves some out.
        "-vf", "select=not(mod(n\\,\(every))),settb=1/25,setpts=N", "-r", "25",
        "-f", "image2pipe", "-c:v", "ppm", "-pix_fmt", "rgb24", "pipe:1",
      ],
      missing: "videos are read by ffmpeg, which was not found: install it ('apt install ffmpeg'), or import a folder "
        + "of PNG files")
    var isFirst = true
    while let picture = try stream.next() {
      try body(SourcePicture(picture: picture, arrival: isFirst ? nil : .init()))
      isFirst = false
    }
    let (isWhole, reason) = (stream.finish(), stream.errors)
    guard isWhole, !isFirst else {
      throw WorldError(path: path, "ffmpeg cannot read it: \(reason.isEmpty ? "it has no pictures" : reason)")
    }
    return reason.isEmpty ? nil : "\(path): ffmpeg could not read all of it: \(reason)"
  }
}
