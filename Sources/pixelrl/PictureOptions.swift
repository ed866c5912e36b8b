import ArgumentParser
import Core
import Imports
import Pixels

/// The options of every command that reads pictures.
struct PictureOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "how pictures become frames with other proportions: crop (the middle), letterbox (black bars) or "
        + "stretch (default: crop, or as the autoencoder was trained)", valueName: "fit"),
    completion: .list(PictureFit.allCases.map(\.text)))
  var fit: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("of a video or a folder, take the first of every n pictures (default: 1)", valueName: "n"),
    transform: wholeNumber)
  var every = 1

  @Option(
    help: ArgumentHelp(
      ".npz: the array of the frames (default: frames, images, image, observations, observation, obs or pixels)",
      valueName: "name"))
  var framesKey: String?

  @Option(
    help: ArgumentHelp(
      ".npz: the array that marks the ends of episodes (default: terminals, timeouts, dones, is_last and similar names)",
      valueName: "name"))
  var endsKey: String?

  func reading() throws -> PictureReading {
    guard every > 0 else { throw InputError("--every takes a whole number of at least 1, not '\(every)'") }
    var reading = PictureReading()
    reading.every = every
    (reading.keys.frames, reading.keys.ends) = (framesKey, endsKey)
    return reading
  }

  func chosenFit() throws -> PictureFit? { try fit.map { try choice($0, of: "--fit") } }
}

/// Returns the choice that a flag's value names.
///
/// - Throws: `InputError` that lists the choices.
func choice<Choice: ChoiceSetting>(_ text: String, of flag: String) throws -> Choice {
  guard let choice = Choice(text: text) else {
    let all = Choice.allCases.map(\.text)
    throw InputError("\(flag) takes \(all.dropLast().joined(separator: ", ")) or \(all[all.count - 1]), not '\(text)'")
  }
  return choice
}
