import Core
import Pixels
import Runs

/// The frames of a dataset that `pixelrl collect` or `pixelrl import` made.
struct DatasetPictures: PictureSource {
  private let dataset: FrameDataset

  init(_ dataset: FrameDataset) { self.dataset = dataset }

  var title: String { "a dataset of \(dataset.manifest.environment)" }
  var count: Int? { dataset.count }
  var actionSpace: ActionSpace? { dataset.manifest.imported?.actionSpace }
  var isGray: Bool { dataset.format == .gray }

  func read(_ body: (SourcePicture) throws -> Void) throws -> String? {
    for index in 0..<dataset.count {
      let follows = index > 0 && dataset.isFollowed(index - 1)
      try body(
        SourcePicture(
          picture: dataset.frame(index),
          arrival: follows
            ? .init(
              action: dataset.actions[index - 1].map(Double.init), reward: dataset.rewards[index - 1],
              discount: dataset.discounts[index - 1]) : nil))
    }
    return nil
  }
}
