import Core
import Environments
import Testing

/// What is recorded under one setting and used under another is refused by these marks: an autoencoder that never saw such
/// frames, or transitions that lead elsewhere. A setting that should be here and is not lets a run learn from what its
/// environment never shows; one too many refuses what would have served.
@Suite struct SettingEffectTests {
  @Test func whatChangesAFrameIsMarked() {
    #expect(
      EpisodeSettings.keys(changing: .view) == [
        // How large it is, and of how many channels.
        "size", "color",
        // How many an encoder sees together.
        "frame-stack",
        // What disturbs it.
        "flicker", "occlusion", "occlusion-position", "pixel-noise",
        // How a scene is drawn.
        "renderer", "shadows", "reflections", "antialiasing",
      ])
  }

  @Test func whatChangesWhatAnActionDoesIsMarked() {
    #expect(EpisodeSettings.keys(changing: .dynamics) == ["action-repeat", "sticky-actions"])
  }

  /// Where an episode begins and ends, what counts as reward and how a process is watched change neither.
  @Test func allElseIsNot() {
    let marked = EpisodeSettings.keys(changing: .view, .dynamics)
    let others = EpisodeSettings.fields.map(\.key).filter { !marked.contains($0) }
    #expect(others == ["time-limit", "no-op-starts", "life-loss", "gym-failure", "gym-timeout"])
  }
}
