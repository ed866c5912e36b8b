import Core
import Environments
import Testing

/// The marks of settings that change frames or dynamics. Data recorded with other values of these settings is rejected,
/// since an autoencoder has not been trained on such frames, or transitions lead to other states. If a mark is missing,
/// a run can learn from data that its environment never produces. If there is one too many, valid data is rejected.
@Suite struct SettingEffectTests {
  @Test func settingsThatChangeFramesAreMarked() {
    #expect(
      EpisodeSettings.keys(changing: .view) == [
        // The size and the number of channels.
        "size", "color",
        // The number of stacked frames.
        "frame-stack",
        // Camera effects.
        "flicker", "occlusion", "occlusion-position", "pixel-noise",
        // Distractions.
        "moving-background", "color-changes", "camera-changes",
        // The rendering style.
        "renderer", "shadows", "reflections", "antialiasing",
        // How a Gymnasium environment's pictures become frames.
        "fit",
      ])
  }

  @Test func settingsThatChangeTheDynamicsAreMarked() {
    #expect(EpisodeSettings.keys(changing: .dynamics) == ["action-repeat", "sticky-actions"])
  }

  /// Start and end of an episode, the reward, and the supervision of a process change neither.
  @Test func otherSettingsAreNotMarked() {
    let marked = EpisodeSettings.keys(changing: .view, .dynamics)
    let others = EpisodeSettings.fields.map(\.key).filter { !marked.contains($0) }
    #expect(others == ["time-limit", "no-op-starts", "life-loss", "gym-failure", "gym-timeout"])
  }
}
